#include "sim_task.h"

#include <assert.h>

#include "sim_random.h"
#include "sim_task_private.h"
#include "sim_trace.h"

static struct sim_process processes[SIM_PROCESSES];
static struct sim_task tasks[SIM_TASKS];
static struct sim_fiber
	fibers[SIM_TASKS]; /* apart: they are large, and tasks are looked at again and again */
static struct sim_task *tasks_end = tasks; /* none beyond it was ever used */
static struct sim_task *current;
static mono_us now;

struct later {
	mono_us at;
	uint64_t number; /* of equal times the older first */
	void (*run)(void *context, int64_t number);
	void *context;
	int64_t argument;
};

static struct later laters[SIM_LATERS];
static size_t later_count;
static uint64_t later_number;

uint64_t sim_random_state;

mono_us sim_now(void)
{
	return now;
}

struct sim_process *sim_process_current(void)
{
	return current == NULL ? NULL : current->process;
}

const char *sim_task_name(void)
{
	return current == NULL ? "world" : current->process->name;
}

struct sim_task *sim_task_current(void)
{
	return current;
}

/* --- tasks --- */

static void entry(void)
{
	sim_fiber_begun(current->fiber);
	current->result = current->start(current->context);
	current->wait = SIM_WAIT_ENDED;
	sim_fiber_leave(current->fiber, true);
}

struct sim_task *sim_task_create(struct sim_process *process, void *(*start)(void *), void *context)
{
	struct sim_task *task = tasks;
	while (task < tasks + SIM_TASKS && task->process != NULL)
		task++;
	assert(task < tasks + SIM_TASKS);
	if (task == tasks_end)
		tasks_end++;
	task->fiber = &fibers[task - tasks];
	task->process = process;
	task->start = start;
	task->context = context;
	task->wait = SIM_WAIT_NOTHING;
	task->is_main = false;
	task->wake_at = 0;
	sim_fiber_make(task->fiber, entry);
	return task;
}

/* Give way until the wait that was set is over. */
void sim_task_yield(void)
{
	sim_fiber_leave(current->fiber, false);
	current->wait = SIM_WAIT_NOTHING;
}

static void end_process(struct sim_process *process, bool is_killed)
{
	for (struct sim_task *task = tasks; task < tasks_end; task++) {
		if (task->process != process)
			continue;
		if (task->wait != SIM_WAIT_ENDED)
			sim_fiber_abandon(task->fiber);
		task->process = NULL;
	}
	sim_descriptors_close(process);
	size_t left = sim_process_free_memory(process);
	if (!is_killed && left > 0)
		sim_trace("blocks of memory left #", (int64_t)left, 0, 0);
	process->is_alive = false;
	if (process->on_end != NULL)
		process->on_end(process, is_killed);
}

static void resume(struct sim_task *task)
{
	struct sim_process *process = task->process;
	current = task;
	sim_fiber_enter(task->fiber);
	current = NULL;
	if (process->is_doomed_here) {
		process->is_doomed_here = false;
		end_process(process, true);
	} else if (task->wait == SIM_WAIT_ENDED && task->is_main) {
		end_process(process, false);
	}
}

static bool is_runnable(const struct sim_task *task)
{
	if (task->process == NULL || task->process->is_stopped)
		return false;
	switch (task->wait) {
	case SIM_WAIT_NOTHING:
		return true;
	case SIM_WAIT_ENDED:
		return false;
	case SIM_WAIT_TIME:
		return now >= task->wake_at;
	case SIM_WAIT_POLL:
		return now >= task->wake_at || sim_descriptors_ready(task);
	case SIM_WAIT_MUTEX:
		return sim_mutex_is_free(task->object);
	case SIM_WAIT_CONDITION:
		return now >= task->wake_at || sim_condition_count(task->object) != task->seen;
	case SIM_WAIT_JOIN:
		return ((const struct sim_task *)task->object)->wait == SIM_WAIT_ENDED;
	}
	return false;
}

/* --- processes --- */

struct sim_process *sim_process_start(const char *name, void *owner, void *(*start)(void *),
				      void *context,
				      void (*on_end)(struct sim_process *, bool is_killed))
{
	struct sim_process *process = processes;
	while (process->is_alive)
		process++;
	assert(process < processes + SIM_PROCESSES);
	*process = (struct sim_process){
		.name = name, .is_alive = true, .owner = owner, .on_end = on_end};
	sim_task_create(process, start, context)->is_main = true;
	sim_trace("starts", 0, 0, 0);
	return process;
}

void sim_process_kill(struct sim_process *process)
{
	if (!process->is_alive)
		return;
	sim_trace("kill -9", 0, 0, 0);
	if (process != sim_process_current()) {
		assert(current == NULL);
		end_process(process, true);
		return;
	}
	process->is_doomed_here = true;
	sim_fiber_leave(current->fiber, true);
}

static void note_silence(struct sim_process *process)
{
	bool is_silent = process->is_stopped || process->is_cut;
	if (is_silent && process->silent_since == 0)
		process->silent_since = now;
	if (!is_silent)
		process->silent_since = 0;
}

void sim_process_stop(struct sim_process *process)
{
	process->is_stopped = true;
	note_silence(process);
}

void sim_process_continue(struct sim_process *process)
{
	process->is_stopped = false;
	note_silence(process);
}

void sim_process_cut(struct sim_process *process, bool is_cut)
{
	process->is_cut = is_cut;
	note_silence(process);
}

bool sim_process_is_reachable(const struct sim_process *process)
{
	return process->is_alive && !process->is_stopped && !process->is_cut;
}

void sim_point(void)
{
	if (current == NULL)
		return;
	if (sim_random_chance(current->process->kill_chance))
		sim_process_kill(current->process);
	uint64_t dice = sim_random() & 15;
	if (dice > 2)
		return;
	current->wait = dice == 0 ? SIM_WAIT_TIME : SIM_WAIT_NOTHING;
	current->wake_at = now + sim_random_log(1, 200000);
	sim_task_yield();
}

void sim_sleep(mono_us duration)
{
	current->wait = SIM_WAIT_TIME;
	current->wake_at = now + duration;
	sim_task_yield();
}

/* --- what happens later --- */

static bool is_sooner(const struct later *a, const struct later *b)
{
	return a->at < b->at || (a->at == b->at && a->number < b->number);
}

/* A heap by time. */
void sim_task_later(mono_us delay, void (*run)(void *context, int64_t number), void *context,
		    int64_t number)
{
	assert(later_count < SIM_LATERS);
	struct later later = {.at = now + delay,
			      .number = later_number++,
			      .run = run,
			      .context = context,
			      .argument = number};
	size_t i = later_count++;
	while (i > 0 && is_sooner(&later, &laters[(i - 1) / 2])) {
		laters[i] = laters[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	laters[i] = later;
}

static void take_first(struct later *ret_later)
{
	*ret_later = laters[0];
	struct later last = laters[--later_count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= later_count)
			break;
		if (child + 1 < later_count && is_sooner(&laters[child + 1], &laters[child]))
			child++;
		if (!is_sooner(&laters[child], &last))
			break;
		laters[i] = laters[child];
		i = child;
	}
	laters[i] = last;
}

/* --- the run --- */

static struct sim_task *choose(void)
{
	struct sim_task *runnable[SIM_TASKS];
	size_t count = 0;
	for (struct sim_task *task = tasks; task < tasks_end; task++)
		if (is_runnable(task))
			runnable[count++] = task;
	if (count == 0)
		return NULL;
	return runnable[count == 1 ? 0 : sim_random() % count];
}

/* The next moment at which something can happen; INT64_MAX: never. */
static mono_us next_moment(void)
{
	mono_us at = later_count > 0 ? laters[0].at : INT64_MAX;
	for (const struct sim_task *task = tasks; task < tasks_end; task++) {
		bool is_timed = task->wait == SIM_WAIT_TIME || task->wait == SIM_WAIT_POLL ||
				task->wait == SIM_WAIT_CONDITION;
		if (task->process != NULL && !task->process->is_stopped && is_timed &&
		    task->wake_at < at)
			at = task->wake_at;
	}
	return at;
}

void sim_task_run(mono_us until, bool (*is_over)(void))
{
	while (now < until && !is_over()) {
		if (later_count > 0 && laters[0].at <= now) {
			struct later later;
			take_first(&later);
			later.run(later.context, later.argument);
			continue;
		}
		struct sim_task *task = choose();
		if (task != NULL) {
			now += 1 + (mono_us)(sim_random() & 31); /* work takes time */
			resume(task);
			continue;
		}
		mono_us at = next_moment();
		if (at == INT64_MAX)
			return;
		now = at > until ? until : at;
	}
}

void sim_task_reset(void)
{
	assert(current == NULL);
	for (struct sim_process *process = processes; process < processes + SIM_PROCESSES;
	     process++) {
		process->on_end = NULL;
		if (process->is_alive)
			end_process(process, true);
	}
	now = 1;
	later_count = 0;
	later_number = 0;
}

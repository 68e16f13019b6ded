/*
 * Processes, threads and time. Each thread of a simulated process is a coroutine; one real thread runs them all, one at a
 * time, in an order that the seed gives. The program's own calls (pthread_*, poll, eventfd, read, write, close,
 * clock_gettime, see meson.build for the list) end up here.
 *
 * A thread gives way where it waits, and at each sim_point(): every call into the simulated disk, broker and database is one.
 * There a process may also be killed, between any two steps.
 */
#ifndef WEBSENTRY_SIM_TASK_H
#define WEBSENTRY_SIM_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct sim_block;

struct sim_process {
	const char *name; /* static text */
	bool is_alive;
	bool is_doomed_here;  /* being killed by itself */
	bool is_stopped;      /* SIGSTOP */
	bool is_cut;          /* from all networks */
	mono_us silent_since; /* stopped or cut; 0: neither */
	wall_us wall_error;   /* its clock is wrong by */
	int kill_chance;      /* at each point, of ten thousand */
	void *owner;          /* the machine that it runs on */
	void (*on_end)(struct sim_process *process, bool is_killed);
	struct sim_block *blocks;
};

/* All processes are gone, and the time is 0. */
void sim_task_reset(void);

mono_us sim_now(void);
const char *sim_task_name(void);               /* of the process that runs, "world" outside any */
struct sim_process *sim_process_current(void); /* NULL outside any */

/* A process whose first thread runs start(context); it ends when that returns. on_end is called at its end. */
struct sim_process *sim_process_start(const char *name, void *owner, void *(*start)(void *),
				      void *context,
				      void (*on_end)(struct sim_process *, bool is_killed));
void sim_process_kill(
	struct sim_process *process); /* kill -9, also by itself: then it does not return */
void sim_process_stop(struct sim_process *process);
void sim_process_continue(struct sim_process *process);
void sim_process_cut(struct sim_process *process, bool is_cut);
bool sim_process_is_reachable(const struct sim_process *process); /* by the brokers */

/* How many blocks of memory the process still had. */
size_t sim_process_free_memory(struct sim_process *process);

/* Between two steps: others may run, the process may be killed. Outside any process nothing happens. */
void sim_point(void);
void sim_sleep(mono_us duration);

/* Later, outside any process. */
void sim_task_later(mono_us delay, void (*run)(void *context, int64_t number), void *context,
		    int64_t number);

/* Make a descriptor readable; -1 is none. */
void sim_task_signal(int fd);

/* Run until is_over() says so, or the time is up, or nothing can happen any more. */
void sim_task_run(mono_us until, bool (*is_over)(void));

#endif

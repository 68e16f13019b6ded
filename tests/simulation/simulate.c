/*
 * Deterministic simulation: two producers (the real outbox and publisher) and two consumers (the real subscriber and writer)
 * in one real thread, against a simulated disk, Kafka, database and clock. All that happens follows from a seed.
 *
 *     simulate [--first N] [--seeds N]     run seeds and speak TAP; SIMULATION_SEEDS is the default of --seeds
 *     simulate --seed N [--trace]          one of them, with everything that happened
 *
 * How it works: every thread of the program is a coroutine (sim_fiber.c). The linker sends the calls that wait, wake, tell the
 * time or release memory to sim_thread.c and sim_memory.c, and takes outbox_file.h and outbox_place.h from sim_disk.c, librdkafka
 * and kafka_client.h from sim_broker.c, sim_kafka_*.c and sim_group.c, store.h from sim_database.c. Not a line of the
 * program is changed for it. sim_task.c chooses who runs next; at each call into a simulated part a process may give way, or
 * be killed. sim_world.c brings the trouble, heals everything, and waits until all is drained; sim_oracle.c judges.
 *
 * What stands for what: a commit of the outbox that fails may come back when the process is killed. A batch on its way may
 * be written after its sender's death. A handle's delivery reports come late, fail with the record written or not, or never.
 * A COMMIT of the database may end unknown. A member of the group that was silent is put out and goes on unaware, as a zombie.
 * A power cut takes what was not synced. Time passes only where nothing else can happen.
 *
 * After a change of the simulation or the program a seed is another story: a seed that found something is no regression
 * test for ever. The number of seeds is.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_trace.h"
#include "sim_world.h"

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);

static double seconds(void)
{
	struct timespec now;
	(void)__real_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say_failure(uint64_t seed, const struct sim_result *result)
{
	printf("# seed %llu: %s\n", (unsigned long long)seed, result->failure);
	sim_trace_print();
	printf("# again: simulate --seed %llu --trace\n", (unsigned long long)seed);
}

/* Many seeds; stops at the first that fails. */
static int run_seeds(uint64_t first, uint64_t count)
{
	double since = seconds();
	int64_t reports = 0;
	int64_t kills = 0;
	printf("1..2\n");
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct sim_result result;
		sim_world_run(seed, false, &result);
		reports += result.reports;
		kills += result.kills;
		if (result.failure == NULL)
			continue;
		say_failure(seed, &result);
		printf("not ok 1 - every_report_is_stored_once\n");
		return 1;
	}
	double took = seconds() - since;
	printf("# %llu seeds in %.2f s of CPU, %.0f a second; %lld reports, %lld kills\n",
	       (unsigned long long)count, took, (double)count / (took > 0 ? took : 1),
	       (long long)reports, (long long)kills);
	printf("ok 1 - every_report_is_stored_once\n");
	return 0;
}

/* The same seed once more, after others, gives the same trace to the last number. */
static int run_again(uint64_t first, uint64_t count)
{
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct sim_result once;
		struct sim_result again;
		struct sim_result other;
		sim_world_run(seed, false, &once);
		sim_world_run(seed + 1000, false, &other);
		sim_world_run(seed, false, &again);
		if (once.hash == again.hash && once.reports == again.reports)
			continue;
		printf("# seed %llu\nnot ok 2 - a_seed_gives_one_trace\n",
		       (unsigned long long)seed);
		return 1;
	}
	printf("ok 2 - a_seed_gives_one_trace\n");
	return 0;
}

static int run_one(uint64_t seed, bool is_loud)
{
	struct sim_result result;
	sim_world_run(seed, is_loud, &result);
	printf("# seed %llu: %s, %lld reports, %lld kills, trace %016llx\n",
	       (unsigned long long)seed, result.failure == NULL ? "fine" : result.failure,
	       (long long)result.reports, (long long)result.kills, (unsigned long long)result.hash);
	return result.failure == NULL ? 0 : 1;
}

int main(int argc, char **argv)
{
	uint64_t first = 1;
	const char *wanted = getenv("SIMULATION_SEEDS");
	uint64_t count = wanted == NULL ? 2000 : strtoull(wanted, NULL, 10);
	uint64_t seed = 0;
	bool is_loud = false;
	/* large blocks come from the kernel, with zeros that cost nothing until they are used */
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	for (int i = 1; i < argc; i++) {
		uint64_t number = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;
		if (strcmp(argv[i], "--trace") == 0)
			is_loud = true;
		else if (strcmp(argv[i], "--seed") == 0)
			seed = number;
		else if (strcmp(argv[i], "--seeds") == 0)
			count = number;
		else if (strcmp(argv[i], "--first") == 0)
			first = number;
	}
	if (seed != 0)
		return run_one(seed, is_loud);
	int failed = run_seeds(first, count);
	return failed != 0 ? failed : run_again(first, count < 20 ? count : 20);
}

/*
 * A wall clock that jumps while the program runs: preloaded into producers and consumers.
 *
 * CHAOS_CLOCK names a file of eight bytes, the seconds (int64_t) that the wall clock is wrong by, and perhaps eight more, the
 * seconds that the machine was suspended for (CLOCK_BOOTTIME has them). It is mapped, so a jump is one write by somebody else and
 * takes effect with the next look at the clock. The monotonic clock is left alone.
 *
 * librdkafka takes the times of its waits from timespec_get() and hands them to cnd_timedwait(). Both follow the wrong clock here,
 * as both would on a machine whose clock was set: a wait that had a second to go when the clock was put back by a day takes a
 * day and a second. libfaketime changes the first alone, so that with a clock ahead every wait takes a day.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong_by;

__attribute__((constructor)) static void attach(void)
{
	const char *path = getenv("CHAOS_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* what a file of eight bytes lacks of its page is zero */
	void *map = mmap(NULL, 2 * sizeof(*wrong_by), PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		wrong_by = map;
	(void)close(fd);
}

static time_t offset(void)
{
	return wrong_by == NULL ? 0 : (time_t)*wrong_by;
}

/* The C library's own is found once; before that (it is asked while libraries are loaded) the kernel answers. */
int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	static int (*next)(clockid_t, struct timespec *);
	if (next == NULL)
		next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int result = next != NULL ? next(clock, ret_now)
				  : (int)syscall(SYS_clock_gettime, clock, ret_now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_now->tv_sec += offset();
	if (result == 0 && clock == CLOCK_BOOTTIME && wrong_by != NULL)
		ret_now->tv_sec += (time_t)wrong_by[1];
	return result;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ret_now->tv_sec = now.tv_sec;
	ret_now->tv_usec = (suseconds_t)(now.tv_nsec / 1000);
	return 0;
}

time_t time(time_t *ret_now)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now != NULL)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int timespec_get(struct timespec *ret_now, int base)
{
	(void)clock_gettime(CLOCK_REALTIME, ret_now);
	return base;
}

static int64_t ns_of(const struct timespec *time_)
{
	return (int64_t)time_->tv_sec * 1000000000 + time_->tv_nsec;
}

/* In slices, after each of which the clock may have jumped. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
		  const struct timespec *restrict until)
{
	static int (*next)(cnd_t *, mtx_t *, const struct timespec *);
	static const int64_t slice_ns = 20 * 1000000;
	if (next == NULL)
		next = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT,
										 "cnd_timedwait");
	for (;;) {
		struct timespec now;
		(void)clock_gettime(CLOCK_REALTIME, &now);
		int64_t left = ns_of(until) - ns_of(&now);
		int64_t wait = left < 0 ? 0 : left < slice_ns ? left : slice_ns;
		int64_t real = ns_of(&now) - (int64_t)offset() * 1000000000 + wait;
		struct timespec slice_end = {.tv_sec = (time_t)(real / 1000000000),
					     .tv_nsec = (long)(real % 1000000000)};
		int result = next(condition, mutex, &slice_end);
		if (result != thrd_timedout || left <= slice_ns)
			return result;
	}
}

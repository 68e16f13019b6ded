/*
 * A wall clock that jumps while the program runs: preloaded into producers and consumers.
 *
 * CHAOS_CLOCK names a file of eight bytes, the seconds (int64_t) that the wall clock is wrong by. It is mapped, so a jump is one
 * write by somebody else and takes effect with the next look at the clock. The monotonic clock is left alone, and so is
 * timespec_get(): librdkafka hands its times to cnd_timedwait(), which asks the kernel's own clock. libfaketime changes the
 * one and not the other, so that with the clock a day ahead librdkafka's threads sleep for a day.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong_by;

__attribute__((constructor)) static void attach(void)
{
	const char *path = getenv("CHAOS_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*wrong_by), PROT_READ, MAP_SHARED, fd, 0);
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

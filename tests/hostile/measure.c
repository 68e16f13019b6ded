/*
 * Runs a program and notes what it took: hostile_measure FILE PROGRAM ARGUMENTS...
 *
 * Writes "CPU_US PEAK_KIB EXIT_CODE" to FILE. A process starts with the peak of the one that started it, so a small one has to:
 * a test's interpreter is larger than the program that it measures.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static long us_of(struct timeval time)
{
	return time.tv_sec * 1000000L + time.tv_usec;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(stderr, "usage: %s FILE PROGRAM ARGUMENTS...\n", argv[0]);
		return 2;
	}
	pid_t child = fork();
	if (child < 0)
		return 1;
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execv(argv[2], argv + 2);
		_exit(127);
	}
	int status = 0;
	struct rusage used;
	if (wait4(child, &status, 0, &used) != child)
		return 1;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	FILE *file = fopen(argv[1], "w");
	if (file == NULL)
		return 1;
	(void)fprintf(file, "%ld %ld %d\n", us_of(used.ru_utime) + us_of(used.ru_stime),
		      used.ru_maxrss, code);
	return fclose(file) == 0 ? 0 : 1;
}

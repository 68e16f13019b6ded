#include "app/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 40 };

void progress_draw(size_t checked, size_t total, long long to_send)
{
	if (!isatty(STDERR_FILENO))
		return;
	char bar[BAR_WIDTH + 1];
	size_t filled = total == 0 ? BAR_WIDTH : checked * BAR_WIDTH / total;
	if (filled > BAR_WIDTH)
		filled = BAR_WIDTH;
	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', filled);
	bar[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "\r\033[K[%s] %zu/%zu checked, %lld to send", bar, checked, total,
		      to_send);
	(void)fflush(stderr);
}

void progress_clear(void)
{
	if (!isatty(STDERR_FILENO))
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}

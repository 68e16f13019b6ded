#include "app/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

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
	char line[LOG_STATUS_MAX];
	(void)snprintf(line, sizeof(line), "[%s] %zu/%zu checked, %lld to send", bar, checked,
		       total, to_send);
	log_set_status(line);
}

void progress_clear(void)
{
	log_set_status(NULL);
}

/* The progress bar of --once: the last line on a terminal's stderr, below the log's; nothing anywhere else. Main thread. */
#ifndef WEBSENTRY_APP_PROGRESS_H
#define WEBSENTRY_APP_PROGRESS_H

#include <stddef.h>

/* Draw "[#####     ] 50/100 checked, 12 to send". Does nothing where stderr is no terminal. */
void progress_draw(size_t checked, size_t total, long long to_send);

/* Remove the line. */
void progress_clear(void);

#endif

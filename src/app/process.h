/*
 * What belongs to the process as a whole: signals, limits, readiness, exit codes. Main thread, but for waiter_wake().
 */
#ifndef WEBSENTRY_APP_PROCESS_H
#define WEBSENTRY_APP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Frozen: scripts rely on them. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_FAILED = 1, /* what the network or the machine answers */
	EXIT_USAGE = 2,  /* what can be read locally is wrong; nothing was started */
};

/* How long running checks may go on after a stop was asked for, and the outbox and the writer after them. */
enum { STOP_CHECKS_MS = 5000, STOP_DRAIN_MS = 2000, STOP_DEADLINE_MS = 4000 };

/*
 * First of all: descriptors 0 to 2 are open (/dev/null where the caller closed them), or what is opened next would take their places
 * and get our log; no core is ever written, for it would hold secrets; SIGPIPE is ignored; the limit of open files is raised as far as
 * allowed.
 */
void process_prepare(void);

/*
 * Before the first thread of a command that works until it is stopped: stop signals are blocked in every thread to come, for a waiter
 * to take them (other commands are just ended by them), and the log waits for nobody.
 */
void process_start_working(void);

/* Before what it was started with is read, which may take a while: a SIGHUP waits until there is something to read again. */
void process_hold_reloads(void);

/* Where the main thread waits for a stop signal or for a word from another thread. */
struct waiter;
struct waiter *waiter_create(void);
void waiter_destroy(struct waiter *waiter);

enum wake { WAKE_TIMEOUT, WAKE_EVENT, WAKE_RELOAD, WAKE_STOP };

/*
 * Wait at most timeout_ms (-1: for ever). WAKE_STOP once SIGTERM or SIGINT has come, then and from then on; a second
 * signal ends the process at once. WAKE_RELOAD on SIGHUP, but for one that says that our terminal has gone: that is a stop too.
 */
enum wake waiter_wait(struct waiter *waiter, int timeout_ms);
bool waiter_is_stopping(const struct waiter *waiter);

/* Wake the main thread. Any thread. */
void waiter_wake(struct waiter *waiter);

/* Tell systemd (where it asked): "READY=1", "STOPPING=1". */
void process_notify(const char *state);

#endif

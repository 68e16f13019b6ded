#include "app/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#ifdef WEBSENTRY_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/log.h"
#include "base/memory.h"

struct waiter {
	int signal_fd;
	int event_fd;
	bool has_terminal;
	bool is_stopping;
};

static void stop_signals(sigset_t *signals)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGTERM);
	(void)sigaddset(signals, SIGINT);
}

static void open_standard_files(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

void process_prepare(void)
{
	/* A core would hold every secret, and so does what others of our user may read below /proc: whatever limits say, there is none. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	open_standard_files();
	(void)signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

void process_hold_reloads(void)
{
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void process_start_working(void)
{
	log_never_block();
	sigset_t signals;
	stop_signals(&signals);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

struct waiter *waiter_create(void)
{
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));
	sigset_t signals;
	stop_signals(&signals);
	(void)sigaddset(&signals, SIGHUP);
	waiter->has_terminal = isatty(STDIN_FILENO) == 1;
	waiter->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	waiter->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waiter->signal_fd < 0 || waiter->event_fd < 0) {
		log_event(LOG_ERROR, "no descriptor left for signals, ending");
		exit(EXIT_FAILED);
	}
	return waiter;
}

void waiter_destroy(struct waiter *waiter)
{
	if (waiter == NULL)
		return;
	(void)close(waiter->signal_fd);
	(void)close(waiter->event_fd);
	free(waiter);
}

static void on_second_signal(int number)
{
	(void)number;
	_exit(EXIT_FAILED);
}

/* From here on the main thread takes stop signals as they come: the second one ends the process at once. */
static void arm_second_signal(void)
{
	struct sigaction action = {.sa_handler = on_second_signal};
	sigset_t signals;
	stop_signals(&signals);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

static const char *signal_name(int number)
{
	if (number == SIGHUP)
		return "SIGHUP";
	return number == SIGINT ? "SIGINT" : "SIGTERM";
}

enum wake waiter_wait(struct waiter *waiter, int timeout_ms)
{
	if (waiter->is_stopping)
		return WAKE_STOP;
	struct pollfd waiting[] = {
		{.fd = waiter->signal_fd, .events = POLLIN},
		{.fd = waiter->event_fd, .events = POLLIN},
	};
	if (poll(waiting, 2, timeout_ms) <= 0)
		return WAKE_TIMEOUT; /* EINTR: a look too early does no harm */
	struct signalfd_siginfo signal_info;
	if (read(waiter->signal_fd, &signal_info, sizeof(signal_info)) ==
	    (ssize_t)sizeof(signal_info)) {
		int number = (int)signal_info.ssi_signo;
		if (number == SIGHUP && !(waiter->has_terminal && isatty(STDIN_FILENO) != 1))
			return WAKE_RELOAD;
		waiter->is_stopping = true;
		process_notify("STOPPING=1");
		log_event(LOG_INFO, "stopping", LOG_STR("signal", signal_name(number)));
		arm_second_signal();
		return WAKE_STOP;
	}
	uint64_t ignored;
	(void)!read(waiter->event_fd, &ignored, sizeof(ignored));
	return WAKE_EVENT;
}

bool waiter_is_stopping(const struct waiter *waiter)
{
	return waiter->is_stopping;
}

void waiter_wake(struct waiter *waiter)
{
	const uint64_t one = 1;
	(void)!write(waiter->event_fd, &one, sizeof(one));
}

void process_notify(const char *state)
{
#ifdef WEBSENTRY_SYSTEMD
	(void)sd_notify(0, state);
#else
	(void)state;
#endif
}

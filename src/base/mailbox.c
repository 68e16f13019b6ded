#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

struct mailbox {
	pthread_mutex_t lock;
	struct letter *first;
	struct letter **end;
	size_t count;
	bool is_closed;
	int fd;
};

struct mailbox *mailbox_create(void)
{
	struct mailbox *mailbox = xcalloc(1, sizeof(*mailbox));
	(void)pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->end = &mailbox->first;
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0) { /* no descriptors left at start-up: the same end as no memory */
		static const char line[] = "error eventfd failed, ending\n";
		(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
		_exit(1);
	}
	return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	(void)close(mailbox->fd);
	(void)pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

/* With the lock held. The eventfd counts only the step from empty to not empty, so bursts cost one write. */
static void wake(struct mailbox *mailbox)
{
	const uint64_t one = 1;
	(void)!write(mailbox->fd, &one, sizeof(one));
}

bool mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	bool is_closed = mailbox->is_closed;
	if (!is_closed) {
		letter->next = NULL;
		*mailbox->end = letter;
		mailbox->end = &letter->next;
		if (mailbox->count++ == 0)
			wake(mailbox);
	}
	(void)pthread_mutex_unlock(&mailbox->lock);
	return !is_closed;
}

struct letter *mailbox_take_all(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	struct letter *letters = mailbox->first;
	mailbox->first = NULL;
	mailbox->end = &mailbox->first;
	mailbox->count = 0;
	if (!mailbox->is_closed) { /* a closed mailbox stays readable, so that its reader never sleeps */
		uint64_t ignored;
		(void)!read(mailbox->fd, &ignored, sizeof(ignored));
	}
	(void)pthread_mutex_unlock(&mailbox->lock);
	return letters;
}

void mailbox_close(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	mailbox->is_closed = true;
	wake(mailbox);
	(void)pthread_mutex_unlock(&mailbox->lock);
}

size_t mailbox_count(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	size_t count = mailbox->count;
	(void)pthread_mutex_unlock(&mailbox->lock);
	return count;
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

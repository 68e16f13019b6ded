#include "outbox/outbox_intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int outbox_intake_init(struct outbox_intake *intake, struct error *err)
{
	*intake = (struct outbox_intake){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	intake->end = &intake->first;
	(void)pthread_mutex_init(&intake->lock, NULL);
	if (intake->fd < 0) {
		error_set_errno(err, ERROR_FATAL, errno, "eventfd");
		return -1;
	}
	return 0;
}

void outbox_intake_finish(struct outbox_intake *intake)
{
	while (intake->first != NULL) {
		struct outbox_pending *row = intake->first;
		intake->first = row->next;
		free(row);
	}
	if (intake->fd >= 0)
		(void)close(intake->fd);
	(void)pthread_mutex_destroy(&intake->lock);
}

static void wake_reader(struct outbox_intake *intake)
{
	const uint64_t one = 1;
	(void)!write(intake->fd, &one, sizeof(one)); /* fails only when it is readable anyway */
}

bool outbox_intake_add(struct outbox_intake *intake, struct outbox_pending *row)
{
	(void)pthread_mutex_lock(&intake->lock);
	bool is_taken = !intake->is_closed;
	bool is_waking = false;
	if (is_taken) {
		row->next = NULL;
		*intake->end = row;
		intake->end = &row->next;
		intake->count++;
		is_waking = intake->count == 1 || intake->count == OUTBOX_COMMIT_ROWS;
	}
	(void)pthread_mutex_unlock(&intake->lock);
	if (is_waking)
		wake_reader(intake);
	return is_taken;
}

struct outbox_pending *outbox_intake_take(struct outbox_intake *intake, size_t *ret_count)
{
	(void)pthread_mutex_lock(&intake->lock);
	struct outbox_pending *rows = intake->first;
	*ret_count = intake->count;
	intake->first = NULL;
	intake->end = &intake->first;
	intake->count = 0;
	(void)pthread_mutex_unlock(&intake->lock);
	return rows;
}

size_t outbox_intake_count(struct outbox_intake *intake)
{
	(void)pthread_mutex_lock(&intake->lock);
	size_t count = intake->count;
	(void)pthread_mutex_unlock(&intake->lock);
	return count;
}

void outbox_intake_quiet(struct outbox_intake *intake)
{
	uint64_t ignored;
	(void)!read(intake->fd, &ignored, sizeof(ignored));
}

void outbox_intake_close(struct outbox_intake *intake)
{
	(void)pthread_mutex_lock(&intake->lock);
	intake->is_closed = true;
	(void)pthread_mutex_unlock(&intake->lock);
	wake_reader(intake);
}

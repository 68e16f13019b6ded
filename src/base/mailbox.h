/*
 * A mailbox between two threads: a list, a mutex and an eventfd that a loop can wait on.
 *
 * Letters are owned structs that embed struct letter as their first member; posting gives a letter away. What may wait is bounded by
 * whoever posts, for only they know what it costs: the writer counts its messages and their bytes, and the subscriber's commands are few.
 * post and close: any thread. take and fd: the one thread that reads.
 */
#ifndef WEBSENTRY_BASE_MAILBOX_H
#define WEBSENTRY_BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct letter {
	struct letter *next;
};

struct mailbox;

/* Released with mailbox_destroy(), which frees no letters: empty it first. */
struct mailbox *mailbox_create(void);
void mailbox_destroy(struct mailbox *mailbox);

/* Takes the letter and returns true; or returns false, with the letter still the caller's, once it is closed. */
bool mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* Everything that waits, oldest first, linked by next; NULL when empty. Also resets the eventfd. Never blocks. */
struct letter *mailbox_take_all(struct mailbox *mailbox);

/* No more posts; the reader is woken. */
void mailbox_close(struct mailbox *mailbox);

/* How many letters wait, at this moment. */
size_t mailbox_count(struct mailbox *mailbox);

/* Readable while letters wait, and from the close on. The mailbox owns it. */
int mailbox_fd(const struct mailbox *mailbox);

#endif

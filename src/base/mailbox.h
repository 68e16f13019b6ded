/*
 * A bounded mailbox between two threads: a list, a mutex and an eventfd that a loop can wait on.
 *
 * Letters are owned structs that embed struct letter as their first member; posting gives a letter away.
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

/* max_letters bounds what waits. Released with mailbox_destroy(), which frees no letters: empty it first. */
struct mailbox *mailbox_create(size_t max_letters);
void mailbox_destroy(struct mailbox *mailbox);

/* Takes the letter and returns true; or returns false, with the letter still the caller's, when full or closed. */
bool mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* The same without the bound, for the few letters that must get through (a stop, a reply). False only when closed. */
bool mailbox_post_always(struct mailbox *mailbox, struct letter *letter);

/* Everything that waits, oldest first, linked by next; NULL when empty. Also resets the eventfd. Never blocks. */
struct letter *mailbox_take_all(struct mailbox *mailbox);

/* Wait at most timeout_ms (-1: for ever) until there is a letter or the mailbox is closed, then as take_all. */
struct letter *mailbox_wait(struct mailbox *mailbox, int timeout_ms);

/* No more posts; the reader is woken. */
void mailbox_close(struct mailbox *mailbox);
bool mailbox_is_closed(struct mailbox *mailbox);

/* How many letters wait, at this moment. */
size_t mailbox_count(struct mailbox *mailbox);

/* Readable while letters wait. The mailbox owns it. */
int mailbox_fd(const struct mailbox *mailbox);

#endif

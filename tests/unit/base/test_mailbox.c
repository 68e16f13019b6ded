#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mailbox.h"

enum { WRITERS = 4, LETTERS_EACH = 20000 };

struct note {
	struct letter letter;
	int writer;
	int number;
};

static struct note *note_create(int writer, int number)
{
	struct note *note = malloc(sizeof(*note));
	assert_non_null(note);
	note->writer = writer;
	note->number = number;
	return note;
}

static bool is_readable(const struct mailbox *mailbox)
{
	struct pollfd waiting = {.fd = mailbox_fd(mailbox), .events = POLLIN};
	return poll(&waiting, 1, 0) == 1;
}

/* As a thread does whose only work they are. */
static struct letter *wait_for_letters(struct mailbox *mailbox)
{
	struct pollfd waiting = {.fd = mailbox_fd(mailbox), .events = POLLIN};
	assert_int_equal(poll(&waiting, 1, 10000), 1);
	return mailbox_take_all(mailbox);
}

static int free_all(struct letter *letters)
{
	int count = 0;
	while (letters != NULL) {
		struct letter *next = letters->next;
		free(letters);
		letters = next;
		count++;
	}
	return count;
}

static void letters_come_in_order_and_the_descriptor_follows(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_create();
	assert_false(is_readable(mailbox));
	assert_null(mailbox_take_all(mailbox));
	for (int i = 0; i < 3; i++)
		assert_true(mailbox_post(mailbox, &note_create(0, i)->letter));
	assert_true(is_readable(mailbox));
	assert_int_equal(mailbox_count(mailbox), 3);
	struct letter *letters = mailbox_take_all(mailbox);
	assert_false(is_readable(mailbox));
	assert_int_equal(mailbox_count(mailbox), 0);
	int number = 0;
	for (struct letter *letter = letters; letter != NULL; letter = letter->next)
		assert_int_equal(((struct note *)letter)->number, number++);
	assert_int_equal(free_all(letters), 3);
	assert_true(mailbox_post(mailbox, &note_create(0, 9)->letter));
	assert_true(is_readable(mailbox));
	assert_int_equal(free_all(mailbox_take_all(mailbox)), 1);
	mailbox_destroy(mailbox);
}

static void a_closed_mailbox_hands_out_what_waits_and_takes_no_more(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_create();
	struct note *late = note_create(0, 1);
	assert_true(mailbox_post(mailbox, &note_create(0, 0)->letter));
	mailbox_close(mailbox);
	assert_false(mailbox_post(mailbox, &late->letter));
	free(late);
	assert_int_equal(free_all(mailbox_take_all(mailbox)), 1);
	/* it stays readable, so that no reader sleeps for ever */
	assert_true(is_readable(mailbox));
	assert_null(mailbox_take_all(mailbox));
	assert_true(is_readable(mailbox));
	mailbox_destroy(mailbox);
	mailbox_destroy(NULL);
}

struct writer {
	struct mailbox *mailbox;
	int id;
};

static void *write_letters(void *argument)
{
	struct writer *writer = argument;
	for (int i = 0; i < LETTERS_EACH; i++) {
		if (!mailbox_post(writer->mailbox, &note_create(writer->id, i)->letter))
			abort();
	}
	return NULL;
}

static void nothing_is_lost_or_reordered_between_threads(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_create();
	pthread_t threads[WRITERS];
	struct writer writers[WRITERS];
	int next[WRITERS] = {0};
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.mailbox = mailbox, .id = i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_letters, &writers[i]), 0);
	}
	for (int seen = 0; seen < WRITERS * LETTERS_EACH;) {
		struct letter *letters = wait_for_letters(mailbox);
		assert_non_null(letters);
		while (letters != NULL) {
			struct note *note = (struct note *)letters;
			letters = letters->next;
			assert_int_equal(note->number, next[note->writer]++);
			free(note);
			seen++;
		}
	}
	for (int i = 0; i < WRITERS; i++)
		(void)pthread_join(threads[i], NULL);
	assert_null(mailbox_take_all(mailbox));
	assert_false(is_readable(mailbox));
	mailbox_destroy(mailbox);
}

static void *close_soon(void *argument)
{
	(void)poll(NULL, 0, 5);
	mailbox_close(argument);
	return NULL;
}

static void closing_wakes_the_reader(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_create();
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, close_soon, mailbox), 0);
	assert_null(wait_for_letters(mailbox));
	(void)pthread_join(thread, NULL);
	mailbox_destroy(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_come_in_order_and_the_descriptor_follows),
		cmocka_unit_test(a_closed_mailbox_hands_out_what_waits_and_takes_no_more),
		cmocka_unit_test(nothing_is_lost_or_reordered_between_threads),
		cmocka_unit_test(closing_wakes_the_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

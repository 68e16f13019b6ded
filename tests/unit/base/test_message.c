#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/message.h"

static void bytes_are_copied_whole(void **state)
{
	(void)state;
	char bytes[] = {'a', '\0', 'b'};
	struct message *message = message_create(bytes, sizeof(bytes));
	bytes[0] = 'x';
	assert_int_equal(message->length, 3);
	assert_memory_equal(message->bytes, "a\0b", 4); /* and a NUL behind them */
	assert_int_equal(message->topic_index, -1);
	message_destroy(message);
}

static void empty_is_not_a_tombstone(void **state)
{
	(void)state;
	struct message *empty = message_create("", 0);
	struct message *tombstone = message_create(NULL, 0);
	assert_non_null(empty->bytes);
	assert_string_equal(empty->bytes, "");
	assert_null(tombstone->bytes);
	message_destroy(empty);
	message_destroy(tombstone);
	message_destroy(NULL);
}

static void a_message_is_a_letter(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_create();
	struct message *message = message_create("x", 1);
	assert_true(mailbox_post(mailbox, &message->letter));
	assert_ptr_equal(mailbox_take_all(mailbox), message);
	message_destroy(message);
	mailbox_destroy(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_copied_whole),
		cmocka_unit_test(empty_is_not_a_tombstone),
		cmocka_unit_test(a_message_is_a_letter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a batch accepts, when it is due, and what positions it stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "rows.h"
#include "store/writer_batch.h"

static const char *const topics[] = {"up", "down"};
static struct writer_batch batch;

static int setup(void **state)
{
	(void)state;
	struct writer_batch_options options = {.topics = topics, .decode = decode_line};
	writer_batch_init(&batch, &options);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	writer_batch_finish(&batch);
	return 0;
}

static struct message *message_at(const char *text, int topic_index, int32_t partition,
				  int64_t offset)
{
	struct message *message = message_create(text, text == NULL ? 0 : strlen(text));
	message->generation = 1;
	message->topic_index = topic_index;
	message->partition = partition;
	message->offset = offset;
	return message;
}

static void good_and_bad_messages_are_told_apart(void **state)
{
	(void)state;
	assert_null(writer_batch_add(&batch, message_at("a 1", 0, 0, 10), 5));
	assert_string_equal(writer_batch_add(&batch, message_at("nonsense", 0, 0, 11), 6),
			    "not_json");
	assert_string_equal(writer_batch_add(&batch, message_at(NULL, 0, 0, 12), 7), "empty");
	assert_null(writer_batch_add(&batch, message_at("b 2", 0, 0, 13), 8));
	struct store_batch view = writer_batch_view(&batch, "cluster");
	assert_int_equal(view.row_count, 2);
	assert_string_equal(view.rows[1].site.bytes, "b");
	assert_int_equal(view.origins[1].offset, 13);
	assert_string_equal(view.messages[1].bytes, "b 2");
	assert_int_equal(view.bad_count, 2);
	assert_string_equal(view.bad[0].reason, "not_json");
	assert_string_equal(view.bad[0].detail, "because");
	assert_string_equal(view.bad[0].bytes, "nonsense");
	assert_int_equal(view.bad[0].origin.offset, 11);
	assert_string_equal(view.bad[0].origin.topic, "up");
	assert_null(view.bad[1].bytes);
	/* Bad ones move the position too: they are stored in quarantine. */
	assert_int_equal(view.position_count, 1);
	assert_int_equal(view.positions[0].next, 14);
	assert_string_equal(view.cluster_id, "cluster");
}

/* What it follows is judged by where it begins, however many messages join it before it is tried again. */
static void a_batch_that_grows_begins_where_it_began(void **state)
{
	(void)state;
	(void)writer_batch_add(&batch, message_at("a 1", 0, 0, 60), 0);
	(void)writer_batch_add(&batch, message_at("a 2", 0, 0, 61), 0);
	struct store_batch view = writer_batch_view(&batch, NULL);
	assert_int_equal(view.positions[0].first, 60);
	assert_int_equal(view.positions[0].next, 62);
	for (int i = 62; i < 90; i++)
		(void)writer_batch_add(&batch, message_at("a 3", 0, i == 70 ? 1 : 0, i), 0);
	view = writer_batch_view(&batch, NULL);
	assert_int_equal(view.positions[0].first, 60);
	assert_int_equal(view.positions[0].next, 90);
	assert_int_equal(view.positions[1].first, 70);
	writer_batch_clear(&batch);
	(void)writer_batch_add(&batch, message_at("a 4", 0, 0, 90), 0);
	assert_int_equal(writer_batch_view(&batch, NULL).positions[0].first, 90);
}

static void positions_are_the_highest_of_each_partition(void **state)
{
	(void)state;
	(void)writer_batch_add(&batch, message_at("a 1", 0, 0, 10), 0);
	(void)writer_batch_add(&batch, message_at("a 2", 1, 0, 3), 0);
	(void)writer_batch_add(&batch, message_at("a 3", 0, 7, 0), 0);
	(void)writer_batch_add(&batch, message_at("a 4", 0, 0, 9), 0); /* came again */
	for (int i = 0; i < 40; i++)
		(void)writer_batch_add(&batch, message_at("a 5", 1, 100 + i, i), 0);
	struct store_batch view = writer_batch_view(&batch, NULL);
	assert_int_equal(view.position_count, 43);
	assert_int_equal(view.positions[0].next, 11);
	assert_string_equal(view.positions[1].topic, "down");
	assert_int_equal(view.positions[1].next, 4);
	assert_int_equal(view.positions[2].partition, 7);
	assert_int_equal(view.positions[2].next, 1);
	assert_int_equal(view.positions[42].next, 40);
}

static void a_batch_is_of_one_generation(void **state)
{
	(void)state;
	(void)writer_batch_add(&batch, message_at("a 1", 0, 0, 10), 0);
	struct message *newer = message_at("a 2", 0, 0, 11);
	newer->generation = 2;
	assert_false(writer_batch_accepts(&batch, newer));
	writer_batch_clear(&batch);
	assert_true(writer_batch_accepts(&batch, newer));
	(void)writer_batch_add(&batch, newer, 0);
	assert_int_equal(batch.generation, 2);
	assert_int_equal(batch.position_count, 1);
}

static void a_batch_is_full_by_rows(void **state)
{
	(void)state;
	for (int i = 0; i < WRITER_BATCH_ROWS; i++) {
		assert_false(writer_batch_is_full(&batch));
		(void)writer_batch_add(&batch, message_at("a 1", 0, 0, i), 0);
	}
	assert_true(writer_batch_is_full(&batch));
	struct message *one_more = message_at("a 1", 0, 0, 1);
	assert_false(writer_batch_accepts(&batch, one_more));
	message_destroy(one_more);
}

static void a_batch_is_full_by_bytes(void **state)
{
	(void)state;
	static char large[1024 * 1024];
	memset(large, 'x', sizeof(large) - 1);
	for (int i = 0; i < 17 && !writer_batch_is_full(&batch); i++)
		(void)writer_batch_add(&batch, message_at(large, 0, 0, i), 0);
	assert_true(writer_batch_is_full(&batch));
	assert_true(batch.message_count <= 17);
}

static void a_batch_is_due_200_ms_after_its_first_message(void **state)
{
	(void)state;
	assert_int_equal(writer_batch_due(&batch), INT64_MAX);
	(void)writer_batch_add(&batch, message_at("a 1", 0, 0, 1), 1000);
	(void)writer_batch_add(&batch, message_at("a 2", 0, 0, 2), 150000);
	assert_int_equal(writer_batch_due(&batch), 201000);
	writer_batch_clear(&batch);
	assert_int_equal(writer_batch_due(&batch), INT64_MAX);
}

static void run_gives_identities_that_stay(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(4);
	struct identity prev = {.producer_id = rows_producer(3), .seq = 41};
	batch.options.producer_id = &producer_id;
	batch.options.prev = &prev;
	for (int i = 0; i < 3; i++) {
		struct message *message = message_at("{\"site\":\"a\",\"at\":5}", -1, 0, 0);
		message->generation = 0;
		assert_null(writer_batch_add(&batch, message, 0));
	}
	for (int round = 0; round < 2; round++) { /* a failed write changes nothing */
		struct store_batch view = writer_batch_view(&batch, NULL);
		assert_int_equal(view.row_count, 3);
		assert_int_equal(view.position_count, 0);
		assert_null(view.origins[0].topic);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(view.rows[i].seq.value, i);
			assert_true(uuid_equal(&view.rows[i].producer_id.value, &producer_id));
			assert_int_equal(view.rows[i].has_prev, i == 0);
		}
		assert_int_equal(view.rows[0].prev.seq, 41);
	}
	writer_batch_clear(&batch);
	struct message *message = message_at("{\"site\":\"a\",\"at\":5}", -1, 0, 0);
	message->generation = 0;
	(void)writer_batch_add(&batch, message, 0);
	assert_int_equal(batch.rows[0].seq.value, 3);
	assert_false(batch.rows[0].has_prev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_and_bad_messages_are_told_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_batch_that_grows_begins_where_it_began, setup,
						teardown),
		cmocka_unit_test_setup_teardown(positions_are_the_highest_of_each_partition, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_of_one_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_full_by_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_full_by_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_due_200_ms_after_its_first_message,
						setup, teardown),
		cmocka_unit_test_setup_teardown(run_gives_identities_that_stay, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

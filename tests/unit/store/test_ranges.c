/* Sets of seq as ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/seq_ranges.h"

enum { SEQS = 64, ROUNDS = 2000 };

static void fill(struct seq_ranges *ranges, const bool *bits)
{
	/* In an order that is none. */
	for (int i = 0; i < SEQS; i++) {
		int seq = i * 37 % SEQS;
		if (bits[seq])
			seq_ranges_add(ranges, seq, seq);
	}
	seq_ranges_settle(ranges);
}

static void assert_equals(const struct seq_ranges *ranges, const bool *bits)
{
	bool found[SEQS] = {false};
	int64_t count = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		struct store_seq_range item = ranges->items[i];
		assert_true(item.first <= item.last);
		if (i > 0)
			assert_true(item.first > ranges->items[i - 1].last + 1);
		for (int64_t seq = item.first; seq <= item.last; seq++)
			found[seq] = true;
	}
	for (int i = 0; i < SEQS; i++) {
		assert_int_equal(found[i], bits[i]);
		count += bits[i];
	}
	assert_int_equal(seq_ranges_sum(ranges), count);
}

static void sets_are_what_their_members_are(void **state)
{
	(void)state;
	srandom(4);
	for (int round = 0; round < ROUNDS; round++) {
		bool a_bits[SEQS];
		bool b_bits[SEQS];
		bool rest_bits[SEQS];
		bool below_bits[SEQS];
		bool above_bits[SEQS];
		int density = 1 + (int)(random() % 9);
		int cut = (int)(random() % (SEQS + 1));
		for (int i = 0; i < SEQS; i++) {
			a_bits[i] = random() % 10 < density;
			b_bits[i] = random() % 10 >= density;
			rest_bits[i] = a_bits[i] && !b_bits[i];
			below_bits[i] = a_bits[i] && i < cut;
			above_bits[i] = a_bits[i] && i >= cut;
		}
		struct seq_ranges a = {0};
		struct seq_ranges b = {0};
		struct seq_ranges rest = {0};
		fill(&a, a_bits);
		fill(&b, b_bits);
		assert_equals(&a, a_bits);
		seq_ranges_subtract(&rest, &a, &b);
		assert_equals(&rest, rest_bits);
		seq_ranges_split(&a, cut, &rest);
		assert_equals(&a, below_bits);
		assert_equals(&rest, above_bits);
		seq_ranges_finish(&a);
		seq_ranges_finish(&b);
		seq_ranges_finish(&rest);
	}
}

static void the_highest_seq_overflows_nothing(void **state)
{
	(void)state;
	struct seq_ranges all = {0};
	struct seq_ranges top = {0};
	struct seq_ranges rest = {0};
	seq_ranges_add(&all, 0, INT64_MAX);
	seq_ranges_add(&all, 5, INT64_MAX);
	seq_ranges_add(&top, INT64_MAX, INT64_MAX);
	seq_ranges_settle(&all);
	assert_int_equal(all.count, 1);
	assert_int_equal(seq_ranges_sum(&all), INT64_MAX);
	seq_ranges_subtract(&rest, &all, &top);
	assert_int_equal(rest.count, 1);
	assert_int_equal(seq_ranges_last(&rest, -1), INT64_MAX - 1);
	seq_ranges_subtract(&rest, &top, &all);
	assert_int_equal(rest.count, 0);
	assert_int_equal(seq_ranges_last(&rest, -1), -1);
	seq_ranges_add(&rest, 3, 2);
	assert_int_equal(rest.count, 0);
	seq_ranges_finish(&all);
	seq_ranges_finish(&top);
	seq_ranges_finish(&rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_what_their_members_are),
		cmocka_unit_test(the_highest_seq_overflows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

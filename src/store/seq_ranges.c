#include "store/seq_ranges.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

void seq_ranges_finish(struct seq_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct seq_ranges){0};
}

/* Whether a range that begins at first continues or overlaps one that ends at last. */
static bool touches(int64_t last, int64_t first)
{
	return last == INT64_MAX || first <= last + 1;
}

void seq_ranges_add(struct seq_ranges *ranges, int64_t first, int64_t last)
{
	if (first > last)
		return;
	struct store_seq_range *end = ranges->count == 0 ? NULL : &ranges->items[ranges->count - 1];
	if (end != NULL && first >= end->first && touches(end->last, first)) {
		if (last > end->last)
			end->last = last;
		return;
	}
	if (ranges->count == ranges->capacity) {
		ranges->capacity = ranges->capacity * 2 + 4;
		ranges->items =
			xreallocarray(ranges->items, ranges->capacity, sizeof(*ranges->items));
	}
	ranges->items[ranges->count++] = (struct store_seq_range){.first = first, .last = last};
}

static int compare(const void *a, const void *b)
{
	const struct store_seq_range *left = a;
	const struct store_seq_range *right = b;
	return left->first < right->first ? -1 : left->first > right->first;
}

void seq_ranges_settle(struct seq_ranges *ranges)
{
	bool is_settled = true;
	for (size_t i = 1; i < ranges->count; i++)
		is_settled = is_settled && ranges->items[i].first > ranges->items[i - 1].last &&
			     !touches(ranges->items[i - 1].last, ranges->items[i].first);
	if (is_settled)
		return;
	qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare);
	struct seq_ranges joined = {.items = ranges->items, .capacity = ranges->capacity};
	size_t count = ranges->count;
	for (size_t i = 0; i < count; i++) {
		struct store_seq_range next = ranges->items[i];
		seq_ranges_add(&joined, next.first, next.last);
	}
	*ranges = joined;
}

void seq_ranges_subtract(struct seq_ranges *ret, const struct seq_ranges *a,
			 const struct seq_ranges *b)
{
	size_t at = 0;
	ret->count = 0;
	for (size_t i = 0; i < a->count; i++) {
		int64_t first = a->items[i].first;
		int64_t last = a->items[i].last;
		bool is_used_up = false;
		while (at < b->count && b->items[at].last < first)
			at++;
		for (size_t j = at; j < b->count && b->items[j].first <= last && !is_used_up; j++) {
			if (b->items[j].first > first)
				seq_ranges_add(ret, first, b->items[j].first - 1);
			is_used_up = b->items[j].last >= last;
			if (!is_used_up)
				first = b->items[j].last + 1;
		}
		if (!is_used_up)
			seq_ranges_add(ret, first, last);
	}
}

void seq_ranges_split(struct seq_ranges *ranges, int64_t at, struct seq_ranges *ret_rest)
{
	size_t kept = 0;
	ret_rest->count = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		struct store_seq_range item = ranges->items[i];
		if (item.last >= at)
			seq_ranges_add(ret_rest, item.first > at ? item.first : at, item.last);
		if (item.first < at)
			ranges->items[kept++] = (struct store_seq_range){
				.first = item.first,
				.last = item.last < at ? item.last : at - 1,
			};
	}
	ranges->count = kept;
}

int64_t seq_ranges_sum(const struct seq_ranges *ranges)
{
	int64_t sum = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		int64_t length = ranges->items[i].last - ranges->items[i].first;
		if (__builtin_add_overflow(sum, length, &sum) ||
		    __builtin_add_overflow(sum, 1, &sum))
			return INT64_MAX;
	}
	return sum;
}

int64_t seq_ranges_last(const struct seq_ranges *ranges, int64_t none)
{
	return ranges->count == 0 ? none : ranges->items[ranges->count - 1].last;
}

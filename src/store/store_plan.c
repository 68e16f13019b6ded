#include "store/store_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct plan_key {
	int64_t site_id;
	wall_us started_at;
	const struct uuid *producer_id;
	int64_t seq;
};

static struct plan_key key_of(const struct plan_row *planned)
{
	return (struct plan_key){
		.site_id = planned->ids.site_id,
		.started_at = planned->started_at,
		.producer_id = &planned->row->producer_id.value,
		.seq = planned->row->seq.value,
	};
}

/* PostgreSQL compares UUIDs as bytes too. */
static int compare_keys(const struct plan_key *a, const struct plan_key *b)
{
	if (a->site_id != b->site_id)
		return a->site_id < b->site_id ? -1 : 1;
	if (a->started_at != b->started_at)
		return a->started_at < b->started_at ? -1 : 1;
	int order =
		memcmp(a->producer_id->bytes, b->producer_id->bytes, sizeof(a->producer_id->bytes));
	if (order != 0)
		return order;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

/* Of equal ones the first in the batch comes first. Most are told apart without a look at the rows, which lie far from one another. */
static int compare_rows(const void *a, const void *b)
{
	const struct plan_row *left = a;
	const struct plan_row *right = b;
	if (left->ids.site_id != right->ids.site_id)
		return left->ids.site_id < right->ids.site_id ? -1 : 1;
	if (left->started_at != right->started_at)
		return left->started_at < right->started_at ? -1 : 1;
	struct plan_key left_key = key_of(left);
	struct plan_key right_key = key_of(right);
	int order = compare_keys(&left_key, &right_key);
	if (order != 0)
		return order;
	return left->row < right->row ? -1 : left->row > right->row;
}

/* The dimension rows of one that is left out are brought by the one that is kept, where they refer to the same. */
static bool brings_for(const struct plan_row *kept, const struct plan_row *left_out)
{
	return !left_out->brings_dimensions || (kept->ids.setup_id == left_out->ids.setup_id &&
						kept->row->has_prev == left_out->row->has_prev);
}

static void remove_doubles(struct store_plan *plan)
{
	bool is_brought = true;
	size_t kept = 0;
	for (size_t i = 0; i < plan->row_count; i++) {
		if (kept > 0) {
			struct plan_key last = key_of(&plan->rows[kept - 1]);
			struct plan_key here = key_of(&plan->rows[i]);
			if (compare_keys(&last, &here) == 0) {
				is_brought &= brings_for(&plan->rows[kept - 1], &plan->rows[i]);
				plan->rows[kept - 1].needs_dimensions |=
					plan->rows[i].needs_dimensions;
				plan->rows[kept - 1].brings_dimensions |=
					plan->rows[i].brings_dimensions;
				plan->duplicates++;
				continue;
			}
		}
		plan->rows[kept++] = plan->rows[i];
	}
	plan->row_count = kept;
	if (!is_brought)
		store_plan_bring_all(plan);
}

void store_plan_bring_all(struct store_plan *plan)
{
	for (size_t i = 0; i < plan->row_count; i++)
		plan->rows[i].brings_dimensions = plan->rows[i].needs_dimensions;
}

void store_plan_make(struct store_plan *plan, const struct store_batch *batch,
		     const bool *is_left_out, struct store_ids *ids)
{
	*plan = (struct store_plan){.rows = xcalloc(batch->row_count, sizeof(*plan->rows))};
	store_ids_begin(ids);
	for (size_t i = 0; i < batch->row_count; i++) {
		if (is_left_out != NULL && is_left_out[i])
			continue;
		struct plan_row *planned = &plan->rows[plan->row_count++];
		planned->row = &batch->rows[i];
		planned->started_at = planned->row->started_at.value;
		enum store_ids_found found;
		planned->ids = store_ids_find(ids, planned->row, &found);
		planned->needs_dimensions = found != STORE_IDS_STORED;
		planned->brings_dimensions = found == STORE_IDS_FIRST;
	}
	qsort(plan->rows, plan->row_count, sizeof(*plan->rows), compare_rows);
	remove_doubles(plan);
}

void store_plan_finish(struct store_plan *plan)
{
	free(plan->rows);
	free(plan->states);
	*plan = (struct store_plan){0};
}

struct plan_row *store_plan_find(struct store_plan *plan, int64_t site_id, wall_us started_at,
				 const struct uuid *producer_id, int64_t seq)
{
	struct plan_key wanted = {site_id, started_at, producer_id, seq};
	size_t low = 0;
	size_t high = plan->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct plan_key here = key_of(&plan->rows[middle]);
		int order = compare_keys(&here, &wanted);
		if (order == 0)
			return &plan->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* U up, G degraded, D down, ? unknown */
static char strip_letter(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UP:
		return 'U';
	case OUTCOME_DEGRADED:
		return 'G';
	case OUTCOME_DOWN:
		return 'D';
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
	return '?';
}

static void append_letter(char strip[static STORE_STRIP_LENGTH + 1], char letter)
{
	size_t length = strlen(strip);
	if (length == STORE_STRIP_LENGTH) {
		memmove(strip, strip + 1, STORE_STRIP_LENGTH - 1);
		length--;
	}
	strip[length] = letter;
	strip[length + 1] = '\0';
}

void store_plan_states(struct store_plan *plan)
{
	free(plan->states);
	plan->states = xcalloc(plan->row_count, sizeof(*plan->states));
	plan->state_count = 0;
	struct plan_state *state = NULL;
	for (size_t i = 0; i < plan->row_count; i++) {
		const struct plan_row *planned = &plan->rows[i];
		if (!planned->is_inserted || !report_row_is_of_site(planned->row))
			continue;
		if (state == NULL || state->latest->ids.site_id != planned->ids.site_id) {
			state = &plan->states[plan->state_count++];
			state->first_at = planned->row->started_at.value;
		}
		state->latest = planned;
		append_letter(state->strip, strip_letter(report_row_site_outcome(planned->row)));
	}
}

struct plan_state *store_plan_find_state(struct store_plan *plan, int64_t site_id)
{
	size_t low = 0;
	size_t high = plan->state_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int64_t here = plan->states[middle].latest->ids.site_id;
		if (here == site_id)
			return &plan->states[middle];
		if (here < site_id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

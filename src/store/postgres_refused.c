/* Which rows of a batch the database refuses: halves of the plan are tried, in transactions that are rolled back, until single rows
 * are left that fail alone. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "store/postgres_store.h"

void postgres_refuse(struct postgres_attempt *attempt, size_t index, const char *reason,
		     const char *detail)
{
	size_t count = attempt->batch->row_count;
	if (attempt->is_refused == NULL) {
		attempt->is_refused = xcalloc(count, sizeof(*attempt->is_refused));
		attempt->refusals = xcalloc(count, sizeof(*attempt->refusals));
	}
	struct postgres_refusal *refusal = &attempt->refusals[index];
	attempt->is_refused[index] = true;
	refusal->reason = reason;
	(void)snprintf(refusal->detail, sizeof(refusal->detail), "%.127s", detail);
}

/* Try planned rows [first, end) with what they refer to. Returns 0: they are fine; 1: their data are refused; -1: something else. */
static int try_rows(struct postgres_attempt *attempt, size_t first, size_t end, struct error *err)
{
	struct postgres_store *store = attempt->store;
	struct store_plan part = {.rows = attempt->plan.rows + first, .row_count = end - first};
	if (postgres_execute(&store->connection, "BEGIN", NULL, err) == 0 &&
	    postgres_write_dimensions(store, &part, err) == 0 &&
	    postgres_copy_incoming(store, &part, 0, part.row_count, err) == 0 &&
	    postgres_execute(&store->connection, postgres_insert_incoming, NULL, err) == 0) {
		postgres_rollback(&store->connection);
		return 0;
	}
	bool is_refused = !store->connection.is_lost && postgres_is_data_error(&store->connection);
	postgres_rollback(&store->connection);
	return is_refused ? 1 : -1;
}

static int find_in(struct postgres_attempt *attempt, size_t first, size_t end, size_t *count,
		   struct error *err)
{
	int status = try_rows(attempt, first, end, err);
	if (status <= 0)
		return status;
	if (end - first > 1) {
		size_t middle = first + (end - first) / 2;
		if (find_in(attempt, first, middle, count, err) != 0)
			return -1;
		return find_in(attempt, middle, end, count, err);
	}
	size_t index = (size_t)(attempt->plan.rows[first].row - attempt->batch->rows);
	postgres_refuse(attempt, index, "refused_by_database", err->message);
	(*count)++;
	return 0;
}

int postgres_find_refused(struct postgres_attempt *attempt, struct error *err)
{
	if (attempt->plan.row_count == 0)
		return -1;
	struct error cause = *err;
	size_t count = 0;
	store_plan_bring_all(&attempt->plan);
	if (postgres_make_incoming(attempt->store, err) != 0 ||
	    find_in(attempt, 0, attempt->plan.row_count, &count, err) != 0)
		return -1;
	if (count == 0) {
		*err = cause; /* no row is at fault alone: nothing that we could put aside */
		return -1;
	}
	return 0;
}

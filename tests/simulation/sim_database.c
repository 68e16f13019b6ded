#include "sim_database.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/planted.h"
#include "sim_broker.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_trace.h"
#include "store/store.h"
#include "store/store_positions.h"

enum { CLUSTERS = 2, ROWS = 2 * SIM_NONCES };

struct row {
	struct identity identity; /* with started_at, which is the nonce's, the primary key */
	int nonce;
	int copy; /* one more for a row that got a key of its own */
	struct sim_message message;
	const char *bytes;
	size_t length;
};

struct state {
	size_t count;
	struct row rows[ROWS];
	int64_t next[CLUSTERS][SIM_TOPICS][SIM_PARTITIONS];  /* -1: none */
	int64_t claim[CLUSTERS][SIM_TOPICS][SIM_PARTITIONS]; /* of next */
	/* by offset: a row, or in quarantine */
	bool is_handled[SIM_TOPICS][SIM_PARTITIONS][SIM_LOG_MAX];
	int64_t handled_count[SIM_TOPICS][SIM_PARTITIONS]; /* all before are */
};

struct store {
	bool is_conflict_first;
	bool (*work)(void *context); /* while a batch is written */
	void *work_context;
};

struct sim_database_faults sim_database_faults;
static struct state now;
static struct state backup;
static bool was_put_back;
/* What was ever stored, also when it was lost with a backup put back. */
static bool was_handled[SIM_TOPICS][SIM_PARTITIONS][SIM_LOG_MAX];

static void clear(struct state *state)
{
	state->count = 0;
	memset(state->next, -1, sizeof(state->next));
	memset(state->claim, 0, sizeof(state->claim));
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			state->handled_count[i][j] = 0;
}

static void copy(struct state *to, const struct state *from)
{
	to->count = from->count;
	memcpy(to->rows, from->rows, from->count * sizeof(from->rows[0]));
	memcpy(to->next, from->next, sizeof(from->next));
	memcpy(to->claim, from->claim, sizeof(from->claim));
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++) {
			memcpy(to->is_handled[i][j], from->is_handled[i][j],
			       sim_broker_logs[i][j].count);
			to->handled_count[i][j] = from->handled_count[i][j];
		}
}

void sim_database_reset(void)
{
	clear(&now);
	clear(&backup);
	memset(now.is_handled, 0, sizeof(now.is_handled));
	memset(backup.is_handled, 0, sizeof(backup.is_handled));
	memset(was_handled, 0, sizeof(was_handled));
	sim_database_faults = (struct sim_database_faults){0};
	was_put_back = false;
}

void sim_database_back_up(void)
{
	copy(&backup, &now);
}

void sim_database_put_back(void)
{
	sim_trace("the database is put back: # rows, # before", (int64_t)backup.count,
		  (int64_t)now.count, 0);
	memset(now.is_handled, 0, sizeof(now.is_handled));
	copy(&now, &backup);
	was_put_back = true;
}

bool sim_database_was_put_back(void)
{
	return was_put_back;
}

int64_t sim_database_rows(void)
{
	return (int64_t)now.count;
}

void sim_database_check_offset(int topic, int partition, int64_t next)
{
	for (int64_t i = next - 1; i >= 0; i--)
		if (!was_handled[topic][partition][i]) {
			sim_oracle_fail("Kafka's position is ahead of the store: partition, offset",
					topic * SIM_PARTITIONS + partition, i);
			return;
		}
}

static void check_position(int topic, int partition, int64_t next)
{
	int64_t *count = &now.handled_count[topic][partition];
	while (*count < next && now.is_handled[topic][partition][*count])
		(*count)++;
	if (*count < next)
		sim_oracle_fail("the store's position is ahead of the store: partition, offset",
				topic * SIM_PARTITIONS + partition, *count);
}

bool sim_database_has_all(void)
{
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++) {
			int64_t end = (int64_t)sim_broker_logs[i][j].count;
			int64_t *count = &now.handled_count[i][j];
			while (*count < end && now.is_handled[i][j][*count])
				(*count)++;
			if (*count < end || (end > 0 && sim_group_committed(i, j) != end))
				return false;
		}
	return true;
}

void sim_database_check_end(void)
{
	for (size_t i = 0; i < now.count; i++) {
		const struct row *row = &now.rows[i];
		struct sim_report *report = sim_oracle_report(row->nonce);
		if (report->is_stored)
			sim_oracle_fail("a report is stored twice: nonce", row->nonce, 0);
		report->is_stored = true;
		sim_oracle_check_message(&row->message, row->bytes, row->length);
	}
}

/* --- a transaction --- */

static struct row *find(const struct identity *identity, int nonce)
{
	for (size_t i = 0; i < now.count; i++) {
		struct row *row = &now.rows[i];
		if (row->nonce == nonce && row->identity.seq == identity->seq &&
		    uuid_equal(&row->identity.producer_id, &identity->producer_id))
			return row;
	}
	return NULL;
}

static void mark(const struct store_origin *origin)
{
	int topic = sim_broker_topic_index(origin->topic);
	now.is_handled[topic][origin->partition][origin->offset] = true;
	was_handled[topic][origin->partition][origin->offset] = true;
}

static void insert(const struct report_row *row, const struct store_message *text)
{
	assert(now.count < ROWS);
	struct row *added = &now.rows[now.count++];
	*added = (struct row){
		.identity = {.producer_id = row->producer_id.value, .seq = row->seq.value},
		.nonce = (int)row->started_at.value,
		.bytes = sim_message_keep(text->bytes, text->length),
		.length = text->length,
	};
	(void)sim_message_parse(added->bytes, added->length, &added->message);
}

static bool has_duplicate(const struct store_batch *batch)
{
	for (size_t i = 0; i < batch->row_count; i++) {
		const struct report_row *row = &batch->rows[i];
		struct identity identity = {.producer_id = row->producer_id.value,
					    .seq = row->seq.value};
		if (find(&identity, (int)row->started_at.value) != NULL)
			return true;
	}
	return false;
}

/* The row of a partition: its position and its claim. */
struct place {
	int64_t *next;
	int64_t *claim;
};

static struct place place_of(const char *cluster_id, const struct store_position *position)
{
	int cluster = cluster_id != NULL && cluster_id[0] != '\0' ? 1 : 0;
	int topic = sim_broker_topic_index(position->topic);
	return (struct place){.next = &now.next[cluster][topic][position->partition],
			      .claim = &now.claim[cluster][topic][position->partition]};
}

/* The batch follows what is not there any more. */
static bool is_stale(const struct store_batch *batch)
{
	for (size_t i = 0; batch->cluster_id != NULL && i < batch->position_count; i++) {
		struct place place = place_of(batch->cluster_id, &batch->positions[i]);
		int64_t next;
		if (store_position_follow(&batch->positions[i], *place.next,
					  *place.next < 0 ? -1 : *place.claim, &next) != 0)
			return true;
	}
	return false;
}

static void apply_positions(const struct store_batch *batch, struct store_written *ret_written)
{
	for (size_t i = 0; batch->cluster_id != NULL && i < batch->position_count; i++) {
		const struct store_position *position = &batch->positions[i];
		struct place place = place_of(batch->cluster_id, position);
		(void)store_position_follow(position, *place.next,
					    *place.next < 0 ? -1 : *place.claim, place.next);
		ret_written->is_outclaimed |=
			position->claim != STORE_NO_CLAIM && *place.claim > position->claim;
		if (position->claim > *place.claim)
			*place.claim = position->claim;
		check_position(sim_broker_topic_index(position->topic), position->partition,
			       *place.next);
	}
}

/* As PostgreSQL does it: the fast path, and where a row is there already the one that leaves it out. */
static void apply(const struct store_batch *batch, struct store_written *ret_written)
{
	*ret_written = (struct store_written){.quarantined = batch->bad_count};
	bool is_lost = IS_PLANTED(NO_CONFLICT_PATH) && has_duplicate(batch);
	for (size_t i = 0; i < batch->row_count; i++) {
		const struct report_row *row = &batch->rows[i];
		struct identity identity = {.producer_id = row->producer_id.value,
					    .seq = row->seq.value};
		bool is_there = find(&identity, (int)row->started_at.value) != NULL;
		mark(&batch->origins[i]);
		if (is_lost || (is_there && !IS_PLANTED(DOUBLE_ON_CONFLICT))) {
			ret_written->duplicates++;
			continue;
		}
		insert(row, &batch->messages[i]);
		ret_written->inserted++;
	}
	for (size_t i = 0; i < batch->bad_count && !IS_PLANTED(POISON_VANISHES); i++)
		mark(&batch->bad[i].origin);
	apply_positions(batch, ret_written);
	sim_trace("database commits # rows, # of them there before", (int64_t)batch->row_count,
		  (int64_t)ret_written->duplicates, 0);
}

/* --- store.h --- */

struct store *sim_database_connect(void)
{
	struct store *store = xcalloc(1, sizeof(*store));
	return store;
}

int store_tidy(struct store *store, int *ret_again_ms, struct error *err)
{
	(void)store;
	(void)err;
	*ret_again_ms = STORE_TIDY_MS; /* all is kept */
	return 0;
}

int store_refresh_strips(struct store *store, bool *ret_is_done, struct error *err)
{
	(void)store;
	(void)err;
	*ret_is_done = true; /* there is no page here */
	return 0;
}

void store_close(struct store *store)
{
	free(store);
}

void store_interrupt(struct store *store)
{
	(void)store;
}

static int trouble(struct error *err)
{
	sim_point();
	sim_sleep(sim_random_log(50, 20000));
	if (!sim_database_faults.is_away && !sim_random_chance(sim_database_faults.fail_chance) &&
	    !sim_process_current()->is_cut)
		return 0;
	error_set(err, ERROR_RETRY, "simulated: the database is away");
	return -1;
}

int store_migrate(struct store *store, bool is_allowed, struct error *err)
{
	(void)store;
	(void)is_allowed;
	return trouble(err);
}

void store_expect_duplicates(struct store *store)
{
	store->is_conflict_first = true;
}

void store_meanwhile(struct store *store, bool (*work)(void *context), void *context)
{
	store->work = work;
	store->work_context = context;
}

/* The writer's next messages, some of them, now and then. */
static void do_work(struct store *store)
{
	while (store->work != NULL && sim_random_chance(5000) && store->work(store->work_context))
		;
}

int store_write(struct store *store, const struct store_batch *batch,
		struct store_written *ret_written, struct error *err)
{
	do_work(store);
	if (trouble(err) != 0)
		return -1;
	do_work(store);
	if (is_stale(batch)) {
		sim_trace("a batch follows what is not there any more", 0, 0, 0);
		error_set(err, ERROR_STALE, "simulated: put back to an earlier state");
		return -1;
	}
	if (sim_random_chance(sim_database_faults.unknown_chance)) {
		bool has_happened = sim_random_chance(5000);
		sim_trace("COMMIT ends unknown, it happened: #", has_happened ? 1 : 0, 0, 0);
		*ret_written = (struct store_written){.inserted = 0};
		if (has_happened)
			apply(batch, ret_written);
		store->is_conflict_first = true;
		error_set(err, ERROR_RETRY, "simulated: the connection is lost in COMMIT");
		return IS_PLANTED(LOSE_UNKNOWN_COMMIT) ? 0 : -1;
	}
	apply(batch, ret_written);
	do_work(store);
	sim_point();
	return 0;
}

static int read_positions(const char *cluster_id, struct store_position *positions, size_t count,
			  int64_t step, struct error *err)
{
	if (trouble(err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct place place = place_of(cluster_id, &positions[i]);
		if (*place.next >= 0)
			*place.claim += step;
		positions[i].next = *place.next;
		positions[i].claim = *place.claim;
	}
	return 0;
}

int store_read_positions(struct store *store, const char *cluster_id,
			 struct store_position *positions, size_t count, struct error *err)
{
	(void)store;
	return read_positions(cluster_id, positions, count, 0, err);
}

int store_claim_positions(struct store *store, const char *cluster_id,
			  struct store_position *positions, size_t count, struct error *err)
{
	(void)store;
	return read_positions(cluster_id, positions, count, 1, err);
}

int store_read_last_seq(struct store *store, const struct uuid *producer_id, bool *ret_found,
			int64_t *ret_seq, struct error *err)
{
	(void)store;
	(void)producer_id;
	(void)ret_seq;
	(void)err;
	*ret_found = false;
	return 0;
}

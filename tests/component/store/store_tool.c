/*
 * The store by hand, for tests in Python and for bench/: store_tool postgres DSN | sqlite PATH [read]. Reads commands, a line
 * each, and answers each but those that only build the batch with one line: "ok …" or "error KIND MESSAGE".
 *
 *   migrate, compare                      store_migrate(), with and without leave to
 *   message TOPIC PARTITION OFFSET JSON   a message, decoded, into the batch; a bad one as a bad message
 *   spoil FIELD HEX                       other bytes for a text of the last row, behind the decoder's back
 *   make PRODUCER FIRST COUNT SITES START_US STEP_US   plain reports
 *   position CLUSTER TOPIC PARTITION NEXT [STORED [CLAIM]]
 *   group NAME                            the consumer group, before anything else
 *   write                                 ok INSERTED DUPLICATES QUARANTINED; the batch stays
 *   clear                                 forget the batch
 *   claim CLUSTER TOPIC PARTITION         ok NEXT CLAIM
 *   tidy                                  ok: all steps of store_tidy()
 *   strips                                ok STEPS: of store_refresh_strips(), until none is stale
 *   keep DAYS, expect, positions CLUSTER TOPIC PARTITION, last-seq UUID, sites
 *   cpu                                   ok MICROSECONDS of this process so far
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "codec/report_decode.h"
#include "rows.h"
#include "store/store.h"

enum { BATCH_MAX = 200000, WORD = 256 };

struct tool {
	struct store *store;
	struct rows rows;
	struct store_bad_message bad[1000];
	size_t bad_count;
	struct store_position positions[64];
	size_t position_count;
	char cluster_id[WORD];
};

static void answer_error(const struct error *err)
{
	static const char *const kinds[] = {"none", "retry", "reject", "full", "stale", "fatal"};
	(void)printf("error %s %s\n", kinds[err->kind], err->message);
}

static void answer(int status, const struct error *err)
{
	if (status == 0)
		(void)puts("ok");
	else
		answer_error(err);
}

/* Texts live as long as the process: this is a tool. */
static char *keep(const char *text)
{
	return xstrdup(text);
}

static void add_message(struct tool *tool, const char *words)
{
	char topic[WORD];
	struct store_origin origin;
	int used = 0;
	if (sscanf(words, "%255s %" SCNd32 " %" SCNd64 " %n", topic, &origin.partition,
		   &origin.offset, &used) < 3)
		return;
	const char *json = keep(words + used);
	struct report_row row;
	char detail[WORD];
	origin.topic = keep(topic);
	enum decode_problem problem =
		report_decode(json, strlen(json), &row, detail, sizeof(detail));
	if (problem != DECODE_NONE) {
		tool->bad[tool->bad_count++] = (struct store_bad_message){
			.origin = origin,
			.reason = decode_problem_name(problem),
			.detail = keep(detail),
			.bytes = json,
			.length = strlen(json),
		};
		return;
	}
	rows_add(&tool->rows, row);
	tool->rows.origins[tool->rows.count - 1] = origin;
	tool->rows.messages[tool->rows.count - 1] =
		(struct store_message){.bytes = json, .length = strlen(json)};
}

static size_t read_hex(const char *hex, char *bytes)
{
	size_t length = 0;
	for (unsigned value; sscanf(hex + length * 2, "%2x", &value) == 1; length++)
		bytes[length] = (char)value;
	return length;
}

#define SPOIL_TEXT(name)                                                                           \
	if (strcmp(field, #name) == 0)                                                             \
		row->name = (struct row_text){bytes, length};
#define SPOIL_OBJECT SPOIL_TEXT
#define SPOIL_LIST SPOIL_TEXT
#define SPOIL_UUID(name)
#define SPOIL_INT(name)
#define SPOIL_BOOL(name)
#define SPOIL_TIME(name)
#define SPOIL_OUTCOME(name)

static void spoil(struct tool *tool, const char *words)
{
	char field[WORD];
	int used = 0;
	if (tool->rows.count == 0 || sscanf(words, "%255s %n", field, &used) < 1)
		return;
	char *bytes = xcalloc(1, strlen(words + used) + 1);
	size_t length = read_hex(words + used, bytes);
	struct report_row *row = &tool->rows.rows[tool->rows.count - 1];
#define SPOIL_FIELD(name, type, is_required) SPOIL_##type(name)
	REPORT_FIELDS(SPOIL_FIELD)
#undef SPOIL_FIELD
}

static void make_reports(struct tool *tool, const char *words)
{
	int producer;
	int64_t first;
	int64_t count;
	int64_t sites;
	int64_t start;
	int64_t step;
	if (sscanf(words, "%d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &producer,
		   &first, &count, &sites, &start, &step) != 6)
		return;
	for (int64_t seq = first; seq < first + count; seq++) {
		char *name = xasprintf("site-%" PRId64, seq % sites);
		struct report_row row =
			rows_make(name, rows_producer(producer), seq, start + seq * step,
				  seq % 50 == 49 ? OUTCOME_DOWN : OUTCOME_UP);
		row.storage = name;
		row.url = (struct row_text){.bytes = name, .length = strlen(name)};
		row.dns_us = row.connect_us = row.wait_us = row.transfer_us = row.body_bytes =
			row.total_us;
		row.http_version = (struct row_text){.bytes = "1.1", .length = 3};
		row.ip = (struct row_text){.bytes = "127.0.0.1", .length = 9};
		rows_add(&tool->rows, row);
	}
}

static void clear(struct tool *tool)
{
	for (size_t i = 0; i < tool->rows.count; i++)
		report_row_finish(&tool->rows.rows[i]);
	rows_finish(&tool->rows);
	tool->bad_count = tool->position_count = 0;
	tool->cluster_id[0] = '\0';
}

static void write_batch(struct tool *tool)
{
	struct store_batch batch = rows_batch(&tool->rows);
	batch.bad = tool->bad;
	batch.bad_count = tool->bad_count;
	batch.cluster_id = tool->cluster_id[0] == '\0' ? NULL : tool->cluster_id;
	batch.positions = tool->positions;
	batch.position_count = tool->position_count;
	struct store_written written;
	struct error err;
	if (store_write(tool->store, &batch, &written, &err) != 0)
		answer_error(&err);
	else
		(void)printf("ok %zu %zu %zu\n", written.inserted, written.duplicates,
			     written.quarantined);
}

static void add_position(struct tool *tool, const char *words)
{
	char topic[WORD];
	struct store_position position = {.stored = -1, .claim = STORE_NO_CLAIM};
	if (sscanf(words, "%255s %255s %" SCNd32 " %" SCNd64 " %" SCNd64 " %" SCNd64,
		   tool->cluster_id, topic, &position.partition, &position.next, &position.stored,
		   &position.claim) < 4)
		return;
	/* Behind what is stored; of one that is read again, its last message alone. */
	position.first = position.stored < position.next ? position.stored : position.next - 1;
	position.topic = keep(topic);
	tool->positions[tool->position_count++] = position;
}

static void keep_days(struct tool *tool, const char *words)
{
	store_keep(tool->store, strtoll(words, NULL, 10));
	(void)puts("ok");
}

static void tidy(struct tool *tool)
{
	struct error err;
	int again_ms = 0;
	int status = 0;
	while (status == 0 && again_ms < STORE_TIDY_WAIT_MS)
		status = store_tidy(tool->store, &again_ms, &err);
	answer(status, &err);
}

static void refresh_strips(struct tool *tool)
{
	struct error err;
	bool is_done = false;
	int steps = 0;
	while (!is_done) {
		if (store_refresh_strips(tool->store, &is_done, &err) != 0) {
			answer_error(&err);
			return;
		}
		steps++;
	}
	(void)printf("ok %d\n", steps);
}

static void ask_position(struct tool *tool, const char *words)
{
	char cluster_id[WORD];
	char topic[WORD];
	struct store_position position = {.topic = topic};
	struct error err;
	if (sscanf(words, "%255s %255s %" SCNd32, cluster_id, topic, &position.partition) != 3)
		return;
	if (store_read_positions(tool->store, cluster_id, &position, 1, &err) != 0)
		answer_error(&err);
	else
		(void)printf("ok %" PRId64 "\n", position.next);
}

static void claim_position(struct tool *tool, const char *words)
{
	char cluster_id[WORD];
	char topic[WORD];
	struct store_position position = {.topic = topic};
	struct error err;
	if (sscanf(words, "%255s %255s %" SCNd32, cluster_id, topic, &position.partition) != 3)
		return;
	if (store_claim_positions(tool->store, cluster_id, &position, 1, &err) != 0)
		answer_error(&err);
	else
		(void)printf("ok %" PRId64 " %" PRId64 "\n", position.next, position.claim);
}

static void ask_last_seq(struct tool *tool, const char *words)
{
	struct uuid producer_id;
	struct error err;
	bool is_found;
	int64_t seq;
	(void)uuid_parse(words, strlen(words), &producer_id);
	if (store_read_last_seq(tool->store, &producer_id, &is_found, &seq, &err) != 0)
		answer_error(&err);
	else
		(void)printf("ok %d %" PRId64 "\n", is_found, seq);
}

static bool print_site(void *context, const struct store_site *site)
{
	(void)printf("%s%s %s %s", *(int *)context == 0 ? "" : "; ", site->name,
		     outcome_name(site->outcome), site->strip);
	(*(int *)context)++;
	return true;
}

static void ask_sites(struct tool *tool)
{
	struct error err;
	int count = 0;
	(void)printf("ok ");
	if (store_read_sites(tool->store, print_site, &count, &err) != 0)
		answer_error(&err);
	else
		(void)puts("");
}

static void answer_cpu(void)
{
	struct rusage used;
	(void)getrusage(RUSAGE_SELF, &used);
	(void)printf("ok %ld\n", (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
					 used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static const char *after(const char *line, const char *command)
{
	size_t length = strlen(command);
	if (strncmp(line, command, length) != 0 || (line[length] != '\0' && line[length] != ' '))
		return NULL;
	return line[length] == '\0' ? line + length : line + length + 1;
}

static void run(struct tool *tool, const char *line)
{
	struct error err;
	const char *words;
	if (after(line, "migrate") != NULL)
		answer(store_migrate(tool->store, true, &err), &err);
	else if (after(line, "compare") != NULL)
		answer(store_migrate(tool->store, false, &err), &err);
	else if ((words = after(line, "message")) != NULL)
		add_message(tool, words);
	else if ((words = after(line, "spoil")) != NULL)
		spoil(tool, words);
	else if ((words = after(line, "make")) != NULL)
		make_reports(tool, words);
	else if ((words = after(line, "position")) != NULL)
		add_position(tool, words);
	else if (after(line, "write") != NULL)
		write_batch(tool);
	else if (after(line, "clear") != NULL)
		clear(tool);
	else if (after(line, "expect") != NULL)
		store_expect_duplicates(tool->store);
	else if ((words = after(line, "keep")) != NULL)
		keep_days(tool, words);
	else if (after(line, "strips") != NULL)
		refresh_strips(tool);
	else if (after(line, "tidy") != NULL)
		tidy(tool);
	else if ((words = after(line, "positions")) != NULL)
		ask_position(tool, words);
	else if ((words = after(line, "claim")) != NULL)
		claim_position(tool, words);
	else if ((words = after(line, "group")) != NULL)
		store_set_group(tool->store, keep(words));
	else if ((words = after(line, "last-seq")) != NULL)
		ask_last_seq(tool, words);
	else if (after(line, "sites") != NULL)
		ask_sites(tool);
	else if (after(line, "cpu") != NULL)
		answer_cpu();
	else
		(void)puts("error unknown command");
}

int main(int argc, char **argv)
{
	struct tool tool = {0};
	struct error err;
	if (argc < 3)
		return 2;
	enum store_mode mode = argc > 3 ? STORE_READ : STORE_WRITE;
	tool.store = strcmp(argv[1], "sqlite") == 0 ? store_open_sqlite(argv[2], mode, &err)
						    : store_open_postgres(argv[2], mode, &err);
	if (tool.store == NULL) {
		answer_error(&err);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	char *line = NULL;
	size_t size = 0;
	for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
		line[length - 1] = '\0';
		run(&tool, line);
	}
	free(line);
	clear(&tool);
	store_close(tool.store);
	return 0;
}

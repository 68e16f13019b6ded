/* `websentry quarantine list` and `show`: what could not be stored, and why. */
#include "app/quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/store_settings.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "codec/json_print.h"
#include "codec/report_peek.h"
#include "config/settings.h"

enum { PLACE_SIZE = 320, SHOWN_MAX = 64 * 1024, NAMES_SIZE = 128, TEXT_MAX = 1024 };

/* "topic/3@17", or "run" for what came through no Kafka. */
static void print_place(const struct store_origin *origin, char *text, size_t size)
{
	if (origin->topic == NULL)
		(void)snprintf(text, size, "run");
	else
		(void)snprintf(text, size, "%s/%" PRId32 "@%" PRId64, origin->topic,
			       origin->partition, origin->offset);
}

int quarantine_fail(const struct error *err)
{
	log_event(LOG_ERROR, err->message);
	return err->kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
}

static bool keep_row(void *context, const struct store_quarantined *row)
{
	struct quarantined *found = context;
	found->is_found = true;
	found->row = *row;
	found->row.reason = xstrdup(row->reason);
	found->row.detail = xstrdup(row->detail);
	found->row.origin.topic = row->origin.topic == NULL ? NULL : xstrdup(row->origin.topic);
	found->row.bytes = row->bytes == NULL ? NULL : xmemdup(row->bytes, row->byte_count);
	return false;
}

int quarantined_read(struct store *store, int64_t id, struct quarantined *ret_found,
		     struct error *err)
{
	const struct store_quarantine_query query = {
		.id = id, .after = STORE_QUARANTINE_ANY, .limit = 1};
	*ret_found = (struct quarantined){.is_found = false};
	return store_read_quarantine(store, &query, keep_row, ret_found, err);
}

void quarantined_finish(struct quarantined *found)
{
	if (!found->is_found)
		return;
	free((char *)found->row.reason);
	free((char *)found->row.detail);
	free((char *)found->row.origin.topic);
	free((char *)found->row.bytes);
	*found = (struct quarantined){.is_found = false};
}

/* --- JSON: a line for each row --- */

static void print_json(const struct store_quarantined *row, bool has_text)
{
	yajl_gen out = json_print_create();
	char id[32];
	size_t length;
	(void)snprintf(id, sizeof(id), "%" PRId64, row->id);
	(void)yajl_gen_map_open(out);
	/* As text: many readers of JSON make a double of a number, and lose the last digits of this one. */
	json_put_text(out, "id", id, sizeof(id));
	json_put_time(out, "stored_at", row->stored_at);
	if (row->origin.topic != NULL) {
		json_put_text(out, "kafka_topic", row->origin.topic, TEXT_MAX);
		json_put_int(out, "kafka_partition", row->origin.partition);
		json_put_int(out, "kafka_offset", row->origin.offset);
	}
	json_put_text(out, "reason", row->reason, TEXT_MAX);
	json_put_text(out, "detail", row->detail, TEXT_MAX);
	if (row->length >= 0)
		json_put_int(out, "length", row->length);
	if (has_text && row->bytes != NULL) {
		char *text = text_clean_copy(row->bytes, row->byte_count, row->byte_count * 3);
		json_put_text(out, "text", text, strlen(text));
		free(text);
	}
	(void)yajl_gen_map_close(out);
	const char *json = json_print_bytes(out, &length);
	(void)printf("%.*s\n", (int)length, json);
	yajl_gen_free(out);
}

/* --- list --- */

struct listing {
	bool is_json;
	int64_t count;
};

static bool on_listed(void *context, const struct store_quarantined *row)
{
	struct listing *listing = context;
	char place[PLACE_SIZE];
	char stored_at[CLOCK_TEXT_SIZE];
	if (listing->is_json) {
		print_json(row, false);
	} else {
		if (listing->count == 0)
			(void)printf("%-19s  %-27s  %-19s  %9s  %s\n", "ID", "PUT ASIDE", "REASON",
				     "BYTES", "FROM, DETAIL");
		print_place(&row->origin, place, sizeof(place));
		clock_format(row->stored_at, stored_at);
		(void)printf("%19" PRId64 "  %s  %-19s  %9" PRId64 "  %s  %s\n", row->id, stored_at,
			     row->reason, row->length < 0 ? 0 : row->length, place, row->detail);
	}
	listing->count++;
	return true;
}

int command_quarantine_list(const struct settings *settings)
{
	struct error err = {0};
	struct listing listing = {.is_json = settings->is_json};
	const struct store_quarantine_query query = {
		.id = STORE_QUARANTINE_ANY,
		.reason = settings->reason,
		.after = STORE_QUARANTINE_ANY,
		.limit = settings->limit,
	};
	struct store *store = store_settings_open_existing(settings, STORE_READ, &err);
	int status = store == NULL
			     ? -1
			     : store_read_quarantine(store, &query, on_listed, &listing, &err);
	store_close(store);
	if (status != 0)
		return quarantine_fail(&err);
	if (listing.count == 0 && !settings->is_json)
		(void)puts("nothing is in quarantine");
	else if (listing.count == settings->limit && !settings->is_json)
		(void)puts("there may be more: --limit");
	return EXIT_FINE;
}

/* --- show --- */

static void print_sentences(const struct store_quarantined *row)
{
	char place[PLACE_SIZE];
	char stored_at[CLOCK_TEXT_SIZE];
	char missing[NAMES_SIZE];
	struct report_peek peek;
	report_peek(row->bytes, row->byte_count, &peek);
	report_peek_missing(&peek, missing, sizeof(missing));
	report_peek_finish(&peek);
	print_place(&row->origin, place, sizeof(place));
	clock_format(row->stored_at, stored_at);
	(void)printf("id         %" PRId64 "\nput aside  %s\nfrom       %s\nreason     %s%s%s\n",
		     row->id, stored_at, place, row->reason, row->detail[0] == '\0' ? "" : ": ",
		     row->detail);
	if (row->length < 0)
		(void)puts("bytes      none (a tombstone)");
	else
		(void)printf("bytes      %" PRId64 "%s\n", row->length,
			     (int64_t)row->byte_count < row->length
				     ? ", of which the first MiB was kept"
				     : "");
	(void)printf("identity   %s%s\n",
		     missing[0] == '\0' ? "can be read; a repaired message must have the same"
					: "can't all be read; a repaired message must say ",
		     missing);
	if (row->bytes == NULL)
		return;
	size_t shown = row->byte_count < SHOWN_MAX ? row->byte_count : SHOWN_MAX;
	char *text = text_clean_copy(row->bytes, shown, shown * 3);
	(void)printf("\n%s%s\n", text, shown < row->byte_count ? " …" : "");
	free(text);
}

int command_quarantine_show(const struct settings *settings)
{
	struct error err = {0};
	struct quarantined found = {.is_found = false};
	int64_t id = 0;
	(void)text_parse_int64(settings->words.items[0], &id);
	struct store *store = store_settings_open_existing(settings, STORE_READ, &err);
	int status = store == NULL ? -1 : quarantined_read(store, id, &found, &err);
	store_close(store);
	if (status != 0)
		return quarantine_fail(&err);
	if (!found.is_found) {
		log_event(LOG_ERROR, "nothing in quarantine has this id", LOG_INT("id", id));
		return EXIT_FAILED;
	}
	if (settings->is_raw)
		(void)fwrite(found.row.bytes, 1, found.row.byte_count, stdout);
	else if (settings->is_json)
		print_json(&found.row, true);
	else
		print_sentences(&found.row);
	quarantined_finish(&found);
	return EXIT_FINE;
}

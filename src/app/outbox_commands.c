/*
 * `websentry outbox show`: what waits in the outbox of a data folder. `websentry outbox salvage FILE`: feed what a damaged
 * outbox still holds back. Both work on a folder that no producer holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/data_dir.h"
#include "app/process.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/settings.h"
#include "outbox/outbox_look.h"
#include "outbox/outbox_salvage.h"

enum { SITE_MAX = 256, MEMBER_MAX = 64 };
/* A page of `show`; and what the last row may have over it. */
enum { PAGE_BYTES = 1024 * 1024, PAGE_SLACK = 256 * 1024 };

static int refuse(const char *message)
{
	log_event(LOG_ERROR, message);
	return EXIT_USAGE;
}

/* --- show --- */

/* The end of the labels, whose names are anybody's; where there are none, the message's beginning. */
static const char *behind_labels(const struct outbox_row *row)
{
	static const char labels[] = "\"labels\":{";
	const char *end = row->message + row->message_length;
	const char *at = memmem(row->message, row->message_length, labels, strlen(labels));
	bool is_text = false;
	if (at == NULL)
		return row->message;
	for (at += strlen(labels); at < end && (is_text || *at != '}'); at++) {
		if (*at == '"')
			is_text = !is_text;
		else if (*at == '\\' && at + 1 < end)
			at++;
	}
	return at;
}

/*
 * A member of a message, which is JSON of ours: the first of that name from there on, as it stands there, without quotes. Quotes
 * within texts are escaped, so that no text can hold the name.
 */
static const char *member_of(const struct outbox_row *row, const char *from, const char *name,
			     char *text)
{
	const char *end = row->message + row->message_length;
	const char *at = memmem(from, (size_t)(end - from), name, strlen(name));
	size_t length = 0;
	if (at != NULL) {
		at += strlen(name);
		if (at < end && *at == '"')
			at++;
		while (at + length < end && length < MEMBER_MAX - 1 &&
		       strchr("\",}", at[length]) == NULL)
			length++;
		memcpy(text, at, length);
	}
	text[length] = '\0';
	return length == 0 ? "-" : text;
}

static void append_row(struct buffer *page, const struct outbox_row *row, bool is_json)
{
	char started_at[MEMBER_MAX];
	char outcome[MEMBER_MAX];
	char producer_id[MEMBER_MAX];
	char seq[MEMBER_MAX];
	if (is_json) {
		(void)buffer_append(page, row->message, row->message_length);
	} else {
		const char *first = row->message;
		const char *later = behind_labels(row);
		(void)buffer_append_format(page, "%s %-8s %s %s ",
					   member_of(row, later, "\"started_at\":", started_at),
					   member_of(row, later, "\"outcome\":", outcome),
					   member_of(row, first, "\"producer_id\":", producer_id),
					   member_of(row, first, "\"seq\":", seq));
		(void)text_clean(page, row->key, row->key_length, SITE_MAX);
	}
	(void)buffer_append_char(page, '\n');
}

/* What is read at once, while the outbox is ours; printing may take as long as somebody reads. */
struct page {
	struct buffer text;
	int64_t after_id;
	bool is_last;
	bool has_bad_row;
};

static void read_rows(struct page *page, struct outbox_look *look, bool is_json)
{
	struct outbox_row row;
	struct error err = {0};
	while (page->text.length < PAGE_BYTES) {
		int result = outbox_look_next(look, &row, &err);
		page->is_last = result == 0 || (result < 0 && err.kind != ERROR_RETRY);
		if (result < 0) {
			log_event(LOG_ERROR, err.message);
			page->has_bad_row = true;
		}
		if (page->is_last)
			return;
		if (result > 0) {
			append_row(&page->text, &row, is_json);
			page->after_id = row.id;
		}
	}
}

/* The next page of what waits in a folder. On -1 err says why there is none. */
static int read_page(const struct settings *settings, const char *path, struct page *page,
		     struct error *err)
{
	char pid[DATA_DIR_PID_SIZE];
	struct outbox_look *look = NULL;
	int fd = -1;
	bool is_first = page->after_id == 0;
	if (!data_dir_share(settings->data_dir, &fd, pid)) {
		error_set(err, ERROR_REJECT,
			  is_first ? "data folder %s: in use by process %s, which alone can read "
				     "its outbox; its figures are at /metrics there (--listen)"
				   : "data folder %s: process %s has taken it meanwhile, and alone "
				     "can read the rest of its outbox",
			  settings->data_dir, pid);
		return -1;
	}
	int result = outbox_look_open(path, page->after_id, &look, err);
	if (result == 0 && is_first && !settings->is_json)
		(void)buffer_append_format(&page->text, "%lld reports wait in %s, %lld bytes\n",
					   (long long)outbox_look_rows(look), path,
					   (long long)outbox_look_bytes(look));
	if (result == 0)
		read_rows(page, look, settings->is_json);
	outbox_look_close(look);
	data_dir_unshare(fd);
	return result;
}

static bool print_page(struct page *page)
{
	bool is_printed = fwrite(page->text.data == NULL ? "" : page->text.data, 1,
				 page->text.length, stdout) == page->text.length;
	if (!page->is_last) {
		is_printed = fflush(stdout) == 0 && is_printed;
		/* whoever waits for the folder must find it free */
		(void)nanosleep(
			&(struct timespec){.tv_nsec = INT64_C(1000000) * DATA_DIR_UNSHARED_MS},
			NULL);
	}
	buffer_clear(&page->text);
	return is_printed;
}

static int print_all(const struct settings *settings, const char *path)
{
	struct page page = {0};
	struct error err = {0};
	int code = EXIT_FINE;
	buffer_init(&page.text, PAGE_BYTES + PAGE_SLACK);
	do {
		bool is_first = page.after_id == 0;
		if (read_page(settings, path, &page, &err) != 0) {
			code = refuse(err.message);
			if (!is_first)
				code = EXIT_FAILED;
			break;
		}
	} while (print_page(&page) && !page.is_last);
	if (page.has_bad_row && code == EXIT_FINE)
		code = EXIT_FAILED;
	buffer_finish(&page.text);
	return code;
}

int command_outbox_show(const struct settings *settings)
{
	struct error err = {0};
	if (access(settings->data_dir, F_OK) != 0) {
		error_set(&err, ERROR_REJECT, "data folder %s: not found", settings->data_dir);
		return refuse(err.message);
	}
	char *path = xasprintf("%s/outbox.db", settings->data_dir);
	int code = print_all(settings, path);
	free(path);
	return code;
}

/* --- salvage --- */

static bool is_same_file(const char *a, const char *b)
{
	struct stat x;
	struct stat y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* "17-23, 40": ranges of the bad rows' ids. */
static char *bad_ranges(const struct outbox_salvage *salvage, size_t count)
{
	enum { RANGES_MAX = 400 };
	struct buffer text;
	buffer_init(&text, RANGES_MAX);
	for (size_t i = 0; i < count;) {
		size_t last = i;
		int64_t first_id = outbox_salvage_bad_id(salvage, i);
		while (last + 1 < count && outbox_salvage_bad_id(salvage, last + 1) ==
						   outbox_salvage_bad_id(salvage, last) + 1)
			last++;
		int64_t last_id = outbox_salvage_bad_id(salvage, last);
		int result = buffer_append_format(&text, "%s%lld", i == 0 ? "" : ", ",
						  (long long)first_id);
		if (result == 0 && last_id != first_id)
			result = buffer_append_format(&text, "-%lld", (long long)last_id);
		if (result != 0)
			break;
		i = last + 1;
	}
	bool is_cut = text.is_overflowed;
	char *ranges = buffer_take(&text);
	char *all = xasprintf("%s%s", ranges, is_cut ? " …" : "");
	free(ranges);
	return all;
}

/* Returns whether there was nothing to say. */
static bool say_what_is_lost(const struct outbox_salvage *salvage, const char *file)
{
	struct outbox_salvage_counts counts;
	outbox_salvage_count(salvage, &counts);
	if (counts.bad_rows > 0) {
		char *ranges = bad_ranges(salvage, counts.bad_rows);
		log_event(LOG_WARN, "rows do not match their checksum and stay where they are",
			  LOG_STR("file", file), LOG_INT("rows", counts.bad_rows),
			  LOG_STR("ids", ranges));
		free(ranges);
	}
	if (counts.bad_pages > 0)
		log_event(LOG_WARN, "pages are damaged, there may have been more rows in them",
			  LOG_STR("file", file), LOG_INT("pages", counts.bad_pages));
	if (counts.lost_pages > 0)
		log_event(LOG_WARN, "the disk does not give these pages back",
			  LOG_STR("file", file), LOG_INT("pages", counts.lost_pages));
	return counts.bad_rows + counts.bad_pages + counts.lost_pages == 0;
}

static int salvage_into(struct outbox_salvage *salvage, const char *file, const char *outbox)
{
	struct error err = {0};
	struct outbox_salvage_fed fed;
	int result = outbox_salvage_feed(salvage, outbox, &fed, &err);
	if (fed.set_aside != NULL)
		log_event(LOG_WARN, "outbox damaged, set aside", LOG_STR("file", outbox),
			  LOG_STR("now", fed.set_aside), LOG_STR("reason", fed.why.message));
	outbox_salvage_fed_finish(&fed);
	(void)printf("%zu reports of %s are in %s again\n", fed.rows, file, outbox);
	bool is_all = say_what_is_lost(salvage, file);
	if (result != 0)
		log_event(LOG_ERROR, err.message);
	return result == 0 && is_all ? EXIT_FINE : EXIT_FAILED;
}

/* Some other file, given by mistake, would look like an outbox from which everything was sent. */
static struct outbox_salvage *open_outbox(const char *file, struct error *err)
{
	struct outbox_salvage *salvage = outbox_salvage_open(file, err);
	struct outbox_salvage_counts counts;
	if (salvage == NULL)
		return NULL;
	outbox_salvage_count(salvage, &counts);
	if (outbox_salvage_is_of_outbox(&counts))
		return salvage;
	error_set(err, ERROR_REJECT,
		  "%s: is no outbox: neither its tables nor a report were found in it", file);
	outbox_salvage_close(salvage);
	return NULL;
}

int command_outbox_salvage(const struct settings *settings)
{
	const char *file = settings->words.items[0];
	char pid[DATA_DIR_PID_SIZE];
	struct error err = {0};
	struct data_dir *dir = NULL;
	struct outbox_salvage *salvage = NULL;
	int code = EXIT_USAGE;
	char *outbox = xasprintf("%s/outbox.db", settings->data_dir);
	if (data_dir_is_held(settings->data_dir, pid))
		error_set(&err, ERROR_REJECT,
			  "data folder %s: in use by process %s, stop it for as long as this takes",
			  settings->data_dir, pid);
	else if (is_same_file(file, outbox))
		error_set(&err, ERROR_REJECT,
			  "%s: is this folder's own outbox; a producer sends what it holds, or "
			  "sets it aside where it can't be read",
			  file);
	else if ((salvage = open_outbox(file, &err)) != NULL)
		dir = data_dir_open(settings->data_dir, &err);
	if (dir != NULL)
		code = salvage_into(salvage, file, outbox);
	else
		log_event(LOG_ERROR, err.message);
	outbox_salvage_close(salvage);
	data_dir_close(dir);
	free(outbox);
	return code;
}

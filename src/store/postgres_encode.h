/*
 * Values, COPY rows and arrays in PostgreSQL's binary format. Pure; any thread. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_POSTGRES_ENCODE_H
#define WEBSENTRY_STORE_POSTGRES_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "check/report_row.h"
#include "store/store_plan.h"

/* Object ids of built-in types: fixed in PostgreSQL's catalogue. */
enum postgres_type {
	TYPE_BYTEA = 17,
	TYPE_INT8 = 20,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_TIMESTAMPTZ = 1184,
	TYPE_VARBIT = 1562,
	TYPE_UUID = 2950,
	TYPE_JSONB = 3802,
};

/* Microseconds between 1970-01-01 and 2000-01-01, where PostgreSQL counts from. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

/* A field: its length and its value; encode_null for none. */
void encode_null(struct buffer *out);
void encode_int8(struct buffer *out, int64_t number);
void encode_int4(struct buffer *out, int32_t number);
void encode_bytes(struct buffer *out, const char *bytes,
		  size_t length);                       /* text, bytea; NULL is null */
void encode_word(struct buffer *out, const char *word); /* text up to its NUL */
void encode_jsonb(struct buffer *out, const char *bytes, size_t length);
void encode_time(struct buffer *out, wall_us time);
void encode_uuid(struct buffer *out, const struct uuid *uuid);

/* What COPY … (REPORT_COLUMN_NAMES) FROM STDIN (FORMAT binary) reads. */
void encode_copy_start(struct buffer *out);
void encode_report(struct buffer *out, const struct plan_row *planned);
void encode_copy_end(struct buffer *out);

/* A one-dimensional array of count elements, whose fields follow; a null among them is allowed. */
void encode_array_start(struct buffer *out, enum postgres_type element, size_t count);

#endif

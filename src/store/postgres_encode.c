#include "store/postgres_encode.h"

#include <endian.h>
#include <string.h>

#include "store/store_columns.h"

enum { JSONB_VERSION = 1 }; /* of jsonb's binary format: text follows */

static void append_int16(struct buffer *out, int16_t number)
{
	uint16_t bytes = htobe16((uint16_t)number);
	(void)buffer_append(out, &bytes, sizeof(bytes));
}

static void append_int32(struct buffer *out, int32_t number)
{
	uint32_t bytes = htobe32((uint32_t)number);
	(void)buffer_append(out, &bytes, sizeof(bytes));
}

void encode_null(struct buffer *out)
{
	append_int32(out, -1);
}

void encode_int8(struct buffer *out, int64_t number)
{
	struct __attribute__((packed)) {
		uint32_t length;
		uint64_t value;
	} field = {htobe32(8), htobe64((uint64_t)number)};
	(void)buffer_append(out, &field, sizeof(field));
}

void encode_int4(struct buffer *out, int32_t number)
{
	append_int32(out, 4);
	append_int32(out, number);
}

void encode_bytes(struct buffer *out, const char *bytes, size_t length)
{
	if (bytes == NULL) {
		encode_null(out);
		return;
	}
	append_int32(out, (int32_t)length);
	(void)buffer_append(out, bytes, length);
}

void encode_word(struct buffer *out, const char *word)
{
	encode_bytes(out, word, strlen(word));
}

void encode_jsonb(struct buffer *out, const char *bytes, size_t length)
{
	if (bytes == NULL) {
		encode_null(out);
		return;
	}
	append_int32(out, (int32_t)length + 1);
	(void)buffer_append_char(out, JSONB_VERSION);
	(void)buffer_append(out, bytes, length);
}

static int64_t time_since_2000(wall_us time)
{
	int64_t since_2000;
	if (__builtin_sub_overflow(time, POSTGRES_EPOCH_US, &since_2000))
		since_2000 = INT64_MIN +
			     1; /* INT64_MIN is -infinity; this one is refused as out of range */
	return since_2000;
}

void encode_time(struct buffer *out, wall_us time)
{
	encode_int8(out, time_since_2000(time));
}

void encode_uuid(struct buffer *out, const struct uuid *uuid)
{
	append_int32(out, sizeof(uuid->bytes));
	(void)buffer_append(out, uuid->bytes, sizeof(uuid->bytes));
}

void encode_copy_start(struct buffer *out)
{
	static const char signature[11] = {'P',  'G',    'C',  'O',  'P', 'Y',
					   '\n', '\377', '\r', '\n', '\0'};
	(void)buffer_append(out, signature, sizeof(signature));
	append_int32(out, 0); /* flags */
	append_int32(out, 0); /* length of the header's extension */
}

void encode_copy_end(struct buffer *out)
{
	append_int16(out, -1);
}

void encode_array_start(struct buffer *out, enum postgres_type element, size_t count)
{
	append_int32(out, count == 0 ? 0 : 1); /* dimensions */
	append_int32(out, 1);                  /* may hold nulls */
	append_int32(out, (int32_t)element);
	if (count == 0)
		return;
	append_int32(out, (int32_t)count);
	append_int32(out, 1); /* lower bound */
}

/* --- a row of COPY: written straight into room that was made for all of it --- */

enum { FIELD_BOUND = 4 + 16 }; /* its length and a UUID; texts come on top */

static char *put_int16(char *at, int16_t number)
{
	uint16_t bytes = htobe16((uint16_t)number);
	memcpy(at, &bytes, sizeof(bytes));
	return at + sizeof(bytes);
}

static char *put_int32(char *at, int32_t number)
{
	uint32_t bytes = htobe32((uint32_t)number);
	memcpy(at, &bytes, sizeof(bytes));
	return at + sizeof(bytes);
}

static char *put_int64(char *at, int64_t number)
{
	uint64_t bytes = htobe64((uint64_t)number);
	at = put_int32(at, sizeof(bytes));
	memcpy(at, &bytes, sizeof(bytes));
	return at + sizeof(bytes);
}

static char *put_bytes(char *at, const char *bytes, size_t length)
{
	if (bytes == NULL)
		return put_int32(at, -1);
	at = put_int32(at, (int32_t)length);
	memcpy(at, bytes, length);
	return at + length;
}

static char *put_time(char *at, wall_us time)
{
	return put_int64(at, time_since_2000(time));
}

static char *put_UUID(char *at, const struct row_uuid *field)
{
	return put_bytes(at, (const char *)field->value.bytes, sizeof(field->value.bytes));
}

static char *put_INT(char *at, const struct row_int *field)
{
	return field->is_present ? put_int64(at, field->value) : put_int32(at, -1);
}

static char *put_BOOL(char *at, const struct row_bool *field)
{
	const char byte = field->value ? 1 : 0;
	return put_bytes(at, field->is_present ? &byte : NULL, 1);
}

static char *put_TEXT(char *at, const struct row_text *field)
{
	return put_bytes(at, field->bytes, field->length);
}

static char *put_TIME(char *at, const struct row_time *field)
{
	return field->is_present ? put_time(at, field->value) : put_int32(at, -1);
}

static char *put_OUTCOME(char *at, const struct row_outcome *field)
{
	const char *name = outcome_name(field->value);
	return put_bytes(at, name, strlen(name));
}

static char *put_OBJECT(char *at, const struct row_text *field)
{
	if (field->bytes == NULL)
		return put_int32(at, -1);
	at = put_int32(at, (int32_t)field->length + 1);
	*at++ = JSONB_VERSION;
	memcpy(at, field->bytes, field->length);
	return at + field->length;
}

static char *put_LIST(char *at, const struct row_text *field)
{
	return put_OBJECT(at, field);
}

#define TEXT_LENGTH_UUID(name) ((size_t)0)
#define TEXT_LENGTH_INT(name) ((size_t)0)
#define TEXT_LENGTH_BOOL(name) ((size_t)0)
#define TEXT_LENGTH_TIME(name) ((size_t)0)
#define TEXT_LENGTH_OUTCOME(name) ((size_t)0)
#define TEXT_LENGTH_TEXT(name) (row->name.length)
#define TEXT_LENGTH_LIST(name) (row->name.length)
#define TEXT_LENGTH_OBJECT(name) (row->name.length)

void encode_report(struct buffer *out, const struct plan_row *planned)
{
	const struct report_row *row = planned->row;
	size_t room = sizeof(int16_t) + (size_t)REPORT_COLUMN_COUNT * FIELD_BOUND;
#define ADD_TEXT_LENGTH(name, type) room += TEXT_LENGTH_##type(name);
	REPORT_COLUMNS(ADD_TEXT_LENGTH)
#undef ADD_TEXT_LENGTH
	char *at = buffer_grow(out, room);
	if (at == NULL)
		return;
	const char *begin = at;
	at = put_int16(at, REPORT_COLUMN_COUNT);
	at = put_int64(at, planned->ids.site_id);
	at = put_time(at, row->started_at.value);
	at = put_int64(at, row->seq.value);
	at = put_int64(at, planned->ids.setup_id);
#define PUT_COLUMN(name, type) at = put_##type(at, &row->name);
	REPORT_COLUMNS(PUT_COLUMN)
#undef PUT_COLUMN
	buffer_grown(out, (size_t)(at - begin));
}

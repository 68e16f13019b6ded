#include "store/postgres_encode.h"

#include <endian.h>
#include <string.h>

#include "store/store_columns.h"

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

void encode_jsonb(struct buffer *out, const char *bytes, size_t length)
{
	if (bytes == NULL) {
		encode_null(out);
		return;
	}
	append_int32(out, (int32_t)length + 1);
	(void)buffer_append_char(out, 1); /* the version of jsonb's binary format: text follows */
	(void)buffer_append(out, bytes, length);
}

void encode_time(struct buffer *out, wall_us time)
{
	int64_t since_2000;
	if (__builtin_sub_overflow(time, POSTGRES_EPOCH_US, &since_2000))
		since_2000 = INT64_MIN +
			     1; /* INT64_MIN is -infinity; this one is refused as out of range */
	encode_int8(out, since_2000);
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

static void encode_UUID(struct buffer *out, struct row_uuid field)
{
	encode_uuid(out, &field.value);
}

static void encode_INT(struct buffer *out, struct row_int field)
{
	if (field.is_present)
		encode_int8(out, field.value);
	else
		encode_null(out);
}

static void encode_BOOL(struct buffer *out, struct row_bool field)
{
	if (!field.is_present) {
		encode_null(out);
		return;
	}
	append_int32(out, 1);
	(void)buffer_append_char(out, field.value ? 1 : 0);
}

static void encode_TEXT(struct buffer *out, struct row_text field)
{
	encode_bytes(out, field.bytes, field.length);
}

static void encode_TIME(struct buffer *out, struct row_time field)
{
	if (field.is_present)
		encode_time(out, field.value);
	else
		encode_null(out);
}

static void encode_OUTCOME(struct buffer *out, struct row_outcome field)
{
	const char *name = outcome_name(field.value);
	encode_bytes(out, name, strlen(name));
}

static void encode_LIST(struct buffer *out, struct row_text field)
{
	encode_jsonb(out, field.bytes, field.length);
}

static void encode_OBJECT(struct buffer *out, struct row_text field)
{
	encode_jsonb(out, field.bytes, field.length);
}

void encode_report(struct buffer *out, const struct plan_row *planned)
{
	const struct report_row *row = planned->row;
	append_int16(out, REPORT_COLUMN_COUNT);
	encode_int8(out, planned->ids.site_id);
	encode_time(out, row->started_at.value);
	encode_int8(out, row->seq.value);
	encode_int8(out, planned->ids.setup_id);
#define ENCODE_COLUMN(name, type) encode_##type(out, row->name);
	REPORT_COLUMNS(ENCODE_COLUMN)
#undef ENCODE_COLUMN
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

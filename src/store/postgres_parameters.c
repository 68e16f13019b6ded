#include "store/postgres_parameters.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "store/postgres_store.h"

static struct buffer *next_value(struct parameter_list *list)
{
	assert(list->count < PARAMETERS_MAX);
	struct buffer *value = &list->values[list->count++];
	buffer_init(value, POSTGRES_BUFFER_MAX);
	return value;
}

struct buffer *parameter_array(struct parameter_list *list, enum postgres_type element,
			       size_t count)
{
	struct buffer *value = next_value(list);
	encode_array_start(value, element, count);
	return value;
}

void parameter_text(struct parameter_list *list, const char *text)
{
	struct buffer *value = next_value(list);
	(void)buffer_append(value, text,
			    strlen(text) + 1); /* the NUL is not counted: parameter_query() */
	value->length--;
}

void parameter_int8(struct parameter_list *list, int64_t number)
{
	uint64_t bytes = htobe64((uint64_t)number);
	(void)buffer_append(next_value(list), &bytes, sizeof(bytes));
}

void parameter_uuid(struct parameter_list *list, const struct uuid *uuid)
{
	(void)buffer_append(next_value(list), uuid->bytes, sizeof(uuid->bytes));
}

int parameter_query(struct postgres_connection *connection, const char *sql,
		    const struct parameter_list *list, PGresult **ret_result, struct error *err)
{
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX];
	for (int i = 0; i < list->count; i++) {
		if (list->values[i].is_overflowed) {
			error_set(err, ERROR_FATAL, "a batch is larger than %d bytes",
				  POSTGRES_BUFFER_MAX);
			return -1;
		}
		values[i] = list->values[i].data;
		lengths[i] = (int)list->values[i].length;
	}
	struct postgres_parameters parameters = {
		.count = list->count, .values = values, .lengths = lengths};
	return postgres_query(connection, sql, &parameters, ret_result, err);
}

void parameter_finish(struct parameter_list *list)
{
	for (int i = 0; i < list->count; i++)
		buffer_finish(&list->values[i]);
	list->count = 0;
}

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

struct values {
	const char *bytes[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX];
};

static int fill_values(const struct parameter_list *list, struct values *values,
		       struct postgres_parameters *ret_parameters, struct error *err)
{
	for (int i = 0; i < list->count; i++) {
		if (list->values[i].is_overflowed) {
			error_set(err, ERROR_FATAL, "a batch is larger than %d bytes",
				  POSTGRES_BUFFER_MAX);
			return -1;
		}
		values->bytes[i] = list->values[i].data;
		values->lengths[i] = (int)list->values[i].length;
	}
	*ret_parameters = (struct postgres_parameters){
		.count = list->count, .values = values->bytes, .lengths = values->lengths};
	return 0;
}

int parameter_query(struct postgres_connection *connection, const char *sql,
		    const struct parameter_list *list, PGresult **ret_result, struct error *err)
{
	struct values values;
	struct postgres_parameters parameters;
	if (fill_values(list, &values, &parameters, err) != 0)
		return -1;
	return postgres_query(connection, sql, &parameters, ret_result, err);
}

int parameter_query_prepared(struct postgres_connection *connection,
			     enum postgres_statement statement, const char *sql,
			     const struct parameter_list *list, PGresult **ret_result,
			     struct error *err)
{
	struct values values;
	struct postgres_parameters parameters;
	if (fill_values(list, &values, &parameters, err) != 0)
		return -1;
	return postgres_query_prepared(connection, statement, sql, &parameters, ret_result, err);
}

void parameter_finish(struct parameter_list *list)
{
	for (int i = 0; i < list->count; i++)
		buffer_finish(&list->values[i]);
	list->count = 0;
}

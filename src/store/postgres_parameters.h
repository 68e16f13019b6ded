/*
 * Binary parameters of one statement, built one after the other. Private to src/store/.
 *
 *     struct parameter_list list = {0};
 *     struct buffer *ids = parameter_array(&list, TYPE_INT8, count);   then count times encode_int8(ids, …)
 *     parameter_query(connection, sql, &list, &result, err);
 *     parameter_finish(&list);
 */
#ifndef WEBSENTRY_STORE_POSTGRES_PARAMETERS_H
#define WEBSENTRY_STORE_POSTGRES_PARAMETERS_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/postgres_connection.h"
#include "store/postgres_encode.h"

enum { PARAMETERS_MAX = 16 };

struct parameter_list {
	int count;
	struct buffer values[PARAMETERS_MAX];
};

/* The next parameter; the list owns the buffer. text may not be NULL. */
struct buffer *parameter_array(struct parameter_list *list, enum postgres_type element,
			       size_t count);
void parameter_text(struct parameter_list *list, const char *text);
void parameter_uuid(struct parameter_list *list, const struct uuid *uuid);
void parameter_int8(struct parameter_list *list, int64_t number);

/* As a statement that the session keeps: it is not planned for these parameters. */
int parameter_query_prepared(struct postgres_connection *connection,
			     enum postgres_statement statement, const char *sql,
			     const struct parameter_list *list, PGresult **ret_result,
			     struct error *err);
int parameter_query(struct postgres_connection *connection, const char *sql,
		    const struct parameter_list *list, PGresult **ret_result, struct error *err);
void parameter_finish(struct parameter_list *list);

#endif

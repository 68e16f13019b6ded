#include "app/refused.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/data_dir.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "outbox/outbox.h"

static const mono_us retry_pause = INT64_C(5) * CLOCK_US_PER_S;

struct waiting {
	struct waiting *next;
	int64_t id;
	char *message;
	size_t length;
	char *why;
};

struct refused {
	const struct data_dir *dir;
	struct outbox *outbox;
	struct figures *figures;
	struct waiting *first;
	struct waiting **end;
	mono_us retry_at;
};

struct refused *refused_create(const struct data_dir *dir, struct outbox *outbox,
			       struct figures *figures)
{
	struct refused *refused = xcalloc(1, sizeof(*refused));
	refused->dir = dir;
	refused->outbox = outbox;
	refused->figures = figures;
	refused->end = &refused->first;
	return refused;
}

static void drop_first(struct refused *refused)
{
	struct waiting *first = refused->first;
	refused->first = first->next;
	if (refused->first == NULL)
		refused->end = &refused->first;
	free(first->message);
	free(first->why);
	free(first);
}

void refused_forget(struct refused *refused)
{
	while (refused->first != NULL)
		drop_first(refused);
}

void refused_destroy(struct refused *refused)
{
	if (refused == NULL)
		return;
	refused_forget(refused);
	free(refused);
}

static int put_aside(struct refused *refused, int64_t id, const char *message, size_t length,
		     const char *why, struct error *err)
{
	struct uuid producer_id = outbox_producer_id(refused->outbox);
	char text[UUID_TEXT_SIZE];
	uuid_format(&producer_id, text);
	char name[96];
	(void)snprintf(name, sizeof(name), "%s-%lld.json", text, (long long)id);
	if (data_dir_put_aside(refused->dir, name, message, length, err) != 0)
		return -1;
	figures_add(&refused->figures->kafka.refused, 1);
	log_event(LOG_ERROR, "Kafka refuses a report, it is put aside", LOG_STR("file", name),
		  LOG_STR("why", why));
	outbox_acknowledge(refused->outbox, id);
	return 0;
}

void refused_add(struct refused *refused, int64_t id, const char *message, size_t length,
		 const char *why)
{
	struct error err;
	if (put_aside(refused, id, message, length, why, &err) == 0)
		return;
	/* said once for all that wait */
	if (refused->first == NULL)
		log_event(LOG_ERROR, "refused report stays in the outbox", LOG_STR("why", why),
			  LOG_STR("error", err.message));
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));
	waiting->id = id;
	waiting->message = xmemdup(message, length);
	waiting->length = length;
	waiting->why = xstrdup(why);
	*refused->end = waiting;
	refused->end = &waiting->next;
	refused->retry_at = clock_mono_us() + retry_pause;
}

void refused_serve(struct refused *refused)
{
	struct error ignored;
	if (refused->first == NULL || clock_mono_us() < refused->retry_at)
		return;
	while (refused->first != NULL &&
	       put_aside(refused, refused->first->id, refused->first->message,
			 refused->first->length, refused->first->why, &ignored) == 0)
		drop_first(refused);
	refused->retry_at = clock_mono_us() + retry_pause;
}

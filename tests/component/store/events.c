#include "events.h"

#include <string.h>
#include <unistd.h>

static void on_committed(void *context, uint64_t generation, const struct position *positions,
			 size_t count, size_t inserted)
{
	struct events *events = context;
	atomic_store(&events->generation, generation);
	atomic_store(&events->next, count == 0 ? -1 : positions[0].next);
	(void)atomic_fetch_add(&events->inserted, (int)inserted);
	(void)atomic_fetch_add(&events->committed, 1);
}

static void on_positions(void *context, uint64_t generation, const struct position *positions,
			 size_t count)
{
	(void)generation;
	(void)count;
	struct events *events = context;
	atomic_store(&events->answered, positions[0].next);
	(void)atomic_fetch_add(&events->positions, 1);
}

static void on_room(void *context)
{
	(void)atomic_fetch_add(&((struct events *)context)->room, 1);
}

static void on_failed(void *context, const struct error *err)
{
	(void)err;
	(void)atomic_fetch_add(&((struct events *)context)->failed, 1);
}

static void on_ready(void *context)
{
	(void)atomic_fetch_add(&((struct events *)context)->ready, 1);
}

struct writer_events events_of(struct events *events)
{
	return (struct writer_events){
		.context = events,
		.on_committed = on_committed,
		.on_positions = on_positions,
		.on_room = on_room,
		.on_failed = on_failed,
		.on_ready = on_ready,
	};
}

bool events_wait(const atomic_int *counter, int wanted)
{
	for (int i = 0; i < 24000; i++) {
		if (atomic_load(counter) >= wanted)
			return true;
		(void)usleep(5000);
	}
	return false;
}

bool events_post(struct writer *writer, const char *text, uint64_t generation, int topic_index,
		 int64_t offset)
{
	struct message *message = message_create(text, text == NULL ? 0 : strlen(text));
	message->generation = generation;
	message->topic_index = topic_index;
	message->offset = offset;
	if (writer_post(writer, message))
		return true;
	message_destroy(message);
	return false;
}

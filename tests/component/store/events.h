/* What a writer told, for its tests to wait for. */
#ifndef TESTS_COMPONENT_STORE_EVENTS_H
#define TESTS_COMPONENT_STORE_EVENTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/writer.h"

struct events {
	atomic_int ready, failed, committed, inserted, positions, room;
	_Atomic uint64_t generation; /* of the last commit */
	_Atomic int64_t next;        /* of its first position; -1 where it had none */
	_Atomic int64_t answered;    /* the first position of the last answer */
};

struct writer_events events_of(struct events *events);

/* Wait at most 10 s until a counter is at least wanted. */
bool events_wait(const atomic_int *counter, int wanted);

/* Post text as a message; whether it was taken. */
bool events_post(struct writer *writer, const char *text, uint64_t generation, int topic_index,
		 int64_t offset);

#endif

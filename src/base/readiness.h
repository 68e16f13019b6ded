/*
 * Why this process can't do its job at this moment. Each part sets and clears its own obstacles; /readyz and /metrics tell them.
 * Any thread; never blocks.
 */
#ifndef WEBSENTRY_BASE_READINESS_H
#define WEBSENTRY_BASE_READINESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* X(ENUM SUFFIX, word in /readyz and in labels, one sentence for people) */
#define OBSTACLE_TABLE(X)                                                                          \
	X(STARTING, "starting", "The process has not begun its work yet")                          \
	X(STOPPING, "stopping", "The process was asked to stop")                                   \
	X(KAFKA_UNREACHABLE, "kafka_unreachable",                                                  \
	  "No Kafka server has answered, or it turns us away")                                     \
	X(TOPIC_MISSING, "topic_missing", "A Kafka topic does not exist")                          \
	X(OUTBOX_FULL, "outbox_full", "The outbox is full: no checks are started")                 \
	X(OUTBOX_FAILING, "outbox_failing", "The outbox can't commit: no checks are started")      \
	X(NOT_ASSIGNED, "not_assigned", "The consumer group has not given this consumer its part") \
	X(STORE_AWAY, "store_away", "The store does not answer, or refuses")                       \
	X(REPORTS_HELD, "reports_held",                                                            \
	  "Too many reports wait in memory for the store: no checks are started")

enum obstacle {
#define OBSTACLE_ENUM(suffix, word, text) OBSTACLE_##suffix,
	OBSTACLE_TABLE(OBSTACLE_ENUM)
#undef OBSTACLE_ENUM
		OBSTACLE_COUNT,
};

/* All zero: nothing in the way. */
struct readiness {
	_Atomic mono_us since[OBSTACLE_COUNT]; /* 0: not there */
};

/* Set or clear an obstacle; setting one that is there keeps its time. Cheap when nothing changes. */
void readiness_set(struct readiness *readiness, enum obstacle obstacle, bool is_there);

/* Whether an obstacle is there, and if so since when. ret_since may be NULL. */
bool readiness_is_there(const struct readiness *readiness, enum obstacle obstacle,
			mono_us *ret_since);

const char *obstacle_name(enum obstacle obstacle);
const char *obstacle_text(enum obstacle obstacle);

#endif

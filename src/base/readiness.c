#include "base/readiness.h"

#include <assert.h>

static const struct obstacle_row {
	const char *name;
	const char *text;
} obstacles[OBSTACLE_COUNT] = {
#define OBSTACLE_ROW(suffix, word, sentence)                                                       \
	[OBSTACLE_##suffix] = {.name = (word), .text = (sentence)},
	OBSTACLE_TABLE(OBSTACLE_ROW)
#undef OBSTACLE_ROW
};

void readiness_set(struct readiness *readiness, enum obstacle obstacle, bool is_there)
{
	_Atomic mono_us *since = &readiness->since[obstacle];
	mono_us known = atomic_load_explicit(since, memory_order_relaxed);
	if ((known != 0) == is_there)
		return;
	if (!is_there) {
		atomic_store_explicit(since, 0, memory_order_relaxed);
		return;
	}
	mono_us none = 0;
	mono_us now = clock_mono_us();
	(void)atomic_compare_exchange_strong(since, &none, now > 0 ? now : 1);
}

bool readiness_is_there(const struct readiness *readiness, enum obstacle obstacle,
			mono_us *ret_since)
{
	mono_us since = atomic_load_explicit(&readiness->since[obstacle], memory_order_relaxed);
	if (since == 0)
		return false;
	if (ret_since != NULL)
		*ret_since = since;
	return true;
}

const char *obstacle_name(enum obstacle obstacle)
{
	assert((unsigned)obstacle < OBSTACLE_COUNT);
	return obstacles[obstacle].name;
}

const char *obstacle_text(enum obstacle obstacle)
{
	assert((unsigned)obstacle < OBSTACLE_COUNT);
	return obstacles[obstacle].text;
}

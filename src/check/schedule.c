/*
 * A binary heap of sites by due time, in an array: the children of i are 2i + 1 and 2i + 2. Sites that are due at the same
 * moment come in the order of their numbers, so that a run can be repeated in a test.
 */
#include "check/schedule.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

struct slot {
	mono_us due;
	int64_t interval_us;
	size_t site;
};

struct schedule {
	size_t capacity;
	size_t count;
	struct slot heap[];
};

struct schedule *schedule_create(size_t count)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, sizeof(struct slot), &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(struct schedule), &bytes))
		bytes = SIZE_MAX; /* xmalloc() says that it is too much */
	struct schedule *schedule = xmalloc(bytes);
	schedule->capacity = count;
	schedule->count = 0;
	return schedule;
}

void schedule_destroy(struct schedule *schedule)
{
	free(schedule);
}

/* FNV-1a, 64 bits (draft-eastlake-fnv, RFC 9923): every byte counts, but a last byte only reaches the low bits … */
static uint64_t fnv1a(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		hash ^= *at;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

/* … hence the finaliser of MurmurHash3 (fmix64, Austin Appleby, public domain), which spreads each bit over all. */
static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 33;
	return hash;
}

int64_t schedule_offset_us(const char *site_name, int64_t interval_us)
{
	assert(interval_us > 0);
	unsigned __int128 product =
		(unsigned __int128)mix(fnv1a(site_name)) * (uint64_t)interval_us;
	return (int64_t)(product >> 64);
}

mono_us schedule_first_due_us(const char *site_name, int64_t interval_us, mono_us now)
{
	assert(now >= 0);
	int64_t wait_us = schedule_offset_us(site_name, interval_us) - now % interval_us;
	return now + (wait_us >= 0 ? wait_us : wait_us + interval_us);
}

size_t schedule_share(const char *site_name, size_t shares)
{
	assert(shares > 0);
	/* The offset is the hash's upper end, this is its lower one. */
	return (size_t)((mix(fnv1a(site_name)) & UINT32_MAX) % shares);
}

static bool is_before(const struct slot *a, const struct slot *b)
{
	return a->due != b->due ? a->due < b->due : a->site < b->site;
}

static void sift_up(struct schedule *schedule, size_t at)
{
	struct slot moved = schedule->heap[at];
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (!is_before(&moved, &schedule->heap[parent]))
			break;
		schedule->heap[at] = schedule->heap[parent];
		at = parent;
	}
	schedule->heap[at] = moved;
}

static void sift_down(struct schedule *schedule, size_t at)
{
	struct slot moved = schedule->heap[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= schedule->count)
			break;
		if (child + 1 < schedule->count &&
		    is_before(&schedule->heap[child + 1], &schedule->heap[child]))
			child++;
		if (!is_before(&schedule->heap[child], &moved))
			break;
		schedule->heap[at] = schedule->heap[child];
		at = child;
	}
	schedule->heap[at] = moved;
}

void schedule_add(struct schedule *schedule, size_t site, mono_us first_due, int64_t interval_us)
{
	assert(schedule->count < schedule->capacity && interval_us > 0);
	schedule->heap[schedule->count] =
		(struct slot){.due = first_due, .interval_us = interval_us, .site = site};
	sift_up(schedule, schedule->count++);
}

void schedule_read_dues(const struct schedule *schedule, mono_us *dues)
{
	for (size_t i = 0; i < schedule->count; i++)
		dues[schedule->heap[i].site] = schedule->heap[i].due;
}

bool schedule_next_due(const struct schedule *schedule, mono_us *ret_due)
{
	if (schedule->count == 0)
		return false;
	*ret_due = schedule->heap[0].due;
	return true;
}

bool schedule_take_due(struct schedule *schedule, mono_us now, struct due_check *ret_check)
{
	if (schedule->count == 0 || schedule->heap[0].due > now)
		return false;
	struct slot *first = &schedule->heap[0];
	int64_t missed = (now - first->due) / first->interval_us;
	*ret_check = (struct due_check){
		.site = first->site,
		.due = first->due + missed * first->interval_us,
		.missed = missed,
	};
	first->due = ret_check->due + first->interval_us;
	sift_down(schedule, 0);
	return true;
}

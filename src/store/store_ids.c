/*
 * An open-addressing table of pointers to entries, keyed by the bytes of a set-up (or of a producer_id). An entry is stored when it
 * was marked in the current era: forgetting begins a new one. What was found since the last begin waits in a list for its mark, so
 * that a mark never counts what only a failed attempt had looked at.
 */
#include "store/store_ids.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "store/store_columns.h"

enum {
	IDS_FIRST_SLOTS = 1024, /* a power of two */
	/* With so many entries, or so many bytes of their keys (most have some 200), the cache starts afresh. */
	IDS_ENTRIES_MAX = 200000,
	IDS_BYTES_MAX = 128 * 1024 * 1024,
	/* report_decode() takes a message of 1 MiB, and any of its texts may be as large; lengths come on top. */
	IDS_KEY_MAX = 1024 * 1024 + 1024,
};

struct entry {
	uint64_t hash;
	uint64_t stored_in; /* era in which it was marked; 0 never */
	uint64_t found_in;  /* plan in which it was put on the list; 0 never */
	struct setup_ids ids;
	size_t key_length;
	char key[];
};

struct store_ids {
	struct entry **slots; /* NULL: free */
	size_t slot_count;
	size_t entry_count;
	size_t key_bytes;     /* of all entries */
	struct entry **found; /* in this plan, and not stored */
	size_t found_count;
	size_t found_capacity;
	uint64_t era;
	uint64_t plan;
	uint64_t seed;
	struct buffer key;
};

static int64_t id_of_digest(const unsigned char digest[static SHA256_DIGEST_LENGTH])
{
	uint64_t bits = 0;
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | digest[i];
	return (int64_t)(bits >> 1);
}

int64_t store_id_of(const void *bytes, size_t length)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	(void)SHA256(bytes, length, digest);
	return id_of_digest(digest);
}

/* Lengths are part of the key, so that two lists of fields never have the same bytes. Big-endian: the same on every machine. */
static void append_number(struct buffer *key, uint64_t number)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
	(void)buffer_append(key, bytes, sizeof(bytes));
}

static void append_text(struct buffer *key, const char *bytes, size_t length)
{
	append_number(key, bytes == NULL ? UINT64_MAX : length);
	if (bytes != NULL)
		(void)buffer_append(key, bytes, length);
}

static void append_TEXT(struct buffer *key, struct row_text text)
{
	append_text(key, text.bytes, text.length);
}

static void append_OBJECT(struct buffer *key, struct row_text text)
{
	append_text(key, text.bytes, text.length);
}

static void append_INT(struct buffer *key, struct row_int number)
{
	(void)buffer_append_char(key, number.is_present ? 1 : 0);
	append_number(key, number.is_present ? (uint64_t)number.value : 0);
}

static void make_setup_key(struct buffer *key, const struct report_row *row)
{
	buffer_clear(key);
	append_TEXT(key, row->site);
	append_TEXT(key, row->location);
#define APPEND_FIELD(name, type) append_##type(key, row->name);
	SETUP_FIELDS(APPEND_FIELD)
#undef APPEND_FIELD
	assert(!key->is_overflowed);
}

int64_t store_id_of_message(const struct store_origin *origin, const char *bytes, size_t length)
{
	struct buffer key;
	buffer_init(&key, SIZE_MAX / 2);
	append_text(&key, origin->topic, origin->topic == NULL ? 0 : strlen(origin->topic));
	append_number(&key, (uint64_t)origin->partition);
	append_number(&key, (uint64_t)origin->offset);
	append_text(&key, bytes, length);
	int64_t id = store_id_of(key.data, key.length);
	buffer_finish(&key);
	return id;
}

/* Eight bytes a step, seeded, so that nobody can make names that collide. */
static uint64_t hash_key(uint64_t seed, const char *bytes, size_t length)
{
	const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
	uint64_t hash = seed ^ (length * prime);
	while (length > 0) {
		uint64_t word = 0;
		size_t step = length < sizeof(word) ? length : sizeof(word);
		memcpy(&word, bytes, step);
		hash = (hash ^ word) * prime;
		hash ^= hash >> 29;
		bytes += step;
		length -= step;
	}
	return hash * prime ^ hash >> 32;
}

struct store_ids *store_ids_create(void)
{
	struct store_ids *ids = xcalloc(1, sizeof(*ids));
	ids->slot_count = IDS_FIRST_SLOTS;
	ids->slots = xcalloc(ids->slot_count, sizeof(struct entry *));
	ids->era = ids->plan = 1;
	struct uuid random = uuid_random();
	memcpy(&ids->seed, random.bytes, sizeof(ids->seed));
	buffer_init(&ids->key, IDS_KEY_MAX);
	return ids;
}

static void empty_slots(struct store_ids *ids)
{
	for (size_t i = 0; i < ids->slot_count; i++)
		free(ids->slots[i]);
	memset(ids->slots, 0, ids->slot_count * sizeof(struct entry *));
	ids->entry_count = ids->key_bytes = ids->found_count = 0;
}

void store_ids_destroy(struct store_ids *ids)
{
	if (ids == NULL)
		return;
	empty_slots(ids);
	free(ids->slots);
	free(ids->found);
	buffer_finish(&ids->key);
	free(ids);
}

static struct entry **find_slot(struct entry **slots, size_t slot_count, uint64_t hash,
				const char *key, size_t key_length)
{
	for (size_t i = hash & (slot_count - 1);; i = (i + 1) & (slot_count - 1)) {
		const struct entry *entry = slots[i];
		if (entry == NULL || (entry->hash == hash && entry->key_length == key_length &&
				      memcmp(entry->key, key, key_length) == 0))
			return &slots[i];
	}
}

static void grow(struct store_ids *ids)
{
	size_t slot_count = ids->slot_count * 2;
	struct entry **slots = xcalloc(slot_count, sizeof(struct entry *));
	for (size_t i = 0; i < ids->slot_count; i++) {
		struct entry *old = ids->slots[i];
		if (old != NULL)
			*find_slot(slots, slot_count, old->hash, old->key, old->key_length) = old;
	}
	free(ids->slots);
	ids->slots = slots;
	ids->slot_count = slot_count;
}

/* The entry of the key in ids->key; a new one has no ids yet. Valid until the next call. */
static struct entry *find_entry(struct store_ids *ids, bool *ret_is_new)
{
	if (ids->entry_count >= IDS_ENTRIES_MAX || ids->key_bytes + ids->key.length > IDS_BYTES_MAX)
		empty_slots(ids);
	if (ids->entry_count * 2 >= ids->slot_count)
		grow(ids);
	const char *key = ids->key.data;
	size_t key_length = ids->key.length;
	uint64_t hash = hash_key(ids->seed, key, key_length);
	struct entry **slot = find_slot(ids->slots, ids->slot_count, hash, key, key_length);
	*ret_is_new = *slot == NULL;
	if (*ret_is_new) {
		struct entry *entry = xcalloc(1, sizeof(*entry) + key_length);
		entry->hash = hash;
		entry->key_length = key_length;
		memcpy(entry->key, key, key_length);
		*slot = entry;
		ids->entry_count++;
		ids->key_bytes += key_length;
	}
	return *slot;
}

/* One that is not stored goes on the list. */
static enum store_ids_found note(struct store_ids *ids, struct entry *entry)
{
	if (entry->stored_in == ids->era)
		return STORE_IDS_STORED;
	if (entry->found_in == ids->plan)
		return STORE_IDS_AGAIN;
	entry->found_in = ids->plan;
	if (ids->found_count == ids->found_capacity) {
		ids->found_capacity = ids->found_capacity * 2 + 64;
		ids->found = xreallocarray(ids->found, ids->found_capacity, sizeof(struct entry *));
	}
	ids->found[ids->found_count++] = entry;
	return STORE_IDS_FIRST;
}

struct setup_ids store_ids_find(struct store_ids *ids, const struct report_row *row,
				enum store_ids_found *ret_found)
{
	bool is_new;
	buffer_clear(&ids->key);
	(void)buffer_append(&ids->key, row->producer_id.value.bytes,
			    sizeof(row->producer_id.value.bytes));
	/* The first report of a producer says what came before it: its dimension row is written again with that. */
	(void)buffer_append_char(&ids->key, row->has_prev ? 1 : 0);
	enum store_ids_found producer = note(ids, find_entry(ids, &is_new));

	make_setup_key(&ids->key, row);
	struct entry *setup = find_entry(ids, &is_new);
	if (is_new) {
		setup->ids.site_id = store_id_of(row->site.bytes, row->site.length);
		setup->ids.location_id = store_id_of(row->location.bytes, row->location.length);
		setup->ids.setup_id = store_id_of(ids->key.data, ids->key.length);
	}
	*ret_found = note(ids, setup);
	if (producer == STORE_IDS_FIRST || *ret_found == STORE_IDS_STORED)
		*ret_found = producer;
	return setup->ids;
}

void store_ids_begin(struct store_ids *ids)
{
	ids->found_count = 0;
	ids->plan++;
}

void store_ids_mark_stored(struct store_ids *ids)
{
	for (size_t i = 0; i < ids->found_count; i++)
		ids->found[i]->stored_in = ids->era;
	store_ids_begin(ids);
}

void store_ids_forget(struct store_ids *ids)
{
	ids->era++;
	store_ids_begin(ids);
}

/* libcurl's and OpenSSL's memory: as malloc()'s, kept for the next block of its size, and not without a bound. */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "probe/kept_memory.h"

#ifndef __has_feature /* gcc */
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { IS_WATCHED = true }; /* blocks are malloc()'s, and none is given out again at once */
#else
enum { IS_WATCHED = false };
#endif

enum { MANY = 4096, KEPT_MAX = 1024 * 1024 };

static const size_t sizes[] = {0,     1,     31,    32,    33,    64,    100,   1000,
			       2047,  2048,  2049,  3072,  3073,  5000,  8192,  8193,
			       16384, 16385, 16896, 16897, 20000, 70000, 300000};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static int prepare(void **state)
{
	(void)state;
	return kept_memory_prepare_curl();
}

static void blocks_of_all_sizes_are_whole_and_apart(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *blocks[SIZES];
		for (size_t i = 0; i < SIZES; i++) {
			blocks[i] = kept_memory_malloc(sizes[i]);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
			memset(blocks[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < SIZES; i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(blocks[i][at], i + 1);
			kept_memory_free(blocks[i]);
		}
	}
	kept_memory_free(NULL);
}

static void blocks_grow_and_shrink_with_what_they_hold(void **state)
{
	(void)state;
	for (size_t from = 0; from < SIZES; from++) {
		for (size_t to = 0; to < SIZES; to++) {
			size_t both = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
			unsigned char *block = kept_memory_realloc(NULL, sizes[from]);
			memset(block, 7, sizes[from]);
			block = kept_memory_realloc(block, sizes[to]);
			for (size_t at = 0; at < both; at++)
				assert_int_equal(block[at], 7);
			memset(block, 8, sizes[to]);
			kept_memory_free(block);
		}
	}
}

static void cleared_blocks_and_copies_are_as_their_namesakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		unsigned char *block = kept_memory_malloc(sizes[i]);
		memset(block, 9, sizes[i]);
		kept_memory_free(block);
		block = kept_memory_calloc(1, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(block[at], 0);
		kept_memory_free(block);
	}
	assert_null(kept_memory_calloc(SIZE_MAX / 2, 3));
	assert_null(kept_memory_malloc(SIZE_MAX - 1));
	char *copy = kept_memory_strdup("kept");
	assert_string_equal(copy, "kept");
	kept_memory_free(copy);
}

struct kept_bytes {
	size_t before;
	size_t after;
};

static void *hold_many(void *context)
{
	static void *blocks[MANY];
	struct kept_bytes *bytes = context;
	bytes->before = mallinfo2().uordblks;
	for (size_t i = 0; i < MANY; i++)
		blocks[i] = kept_memory_malloc(i % 2 == 0 ? 1000 : 16385);
	for (size_t i = 0; i < MANY; i++)
		kept_memory_free(blocks[i]);
	bytes->after = mallinfo2().uordblks;
	return NULL;
}

/* A rush of checks is over. (Valgrind sees to it that nothing is left of a thread that has ended.) */
static void little_is_kept_of_much(void **state)
{
	(void)state;
	struct kept_bytes bytes = {0};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, hold_many, &bytes), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(bytes.after < bytes.before + KEPT_MAX);
}

static void openssl_takes_from_what_is_kept(void **state)
{
	(void)state;
	static const size_t kept[] = {24, 2048, 3080, 7624, 16712};
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		void *block = OPENSSL_malloc(kept[i]);
		assert_non_null(block);
		OPENSSL_free(block);
		void *next = kept_memory_malloc(kept[i]);
		assert_int_equal(next == block, !IS_WATCHED);
		kept_memory_free(next);
	}
}

static void no_bytes_are_no_block_to_openssl(void **state)
{
	(void)state;
	assert_null(OPENSSL_malloc(0));
	assert_null(OPENSSL_realloc(OPENSSL_malloc(5), 0)); /* Valgrind sees whether it is freed */
	char *block = OPENSSL_realloc(NULL, 5);
	assert_non_null(block);
	memcpy(block, "kept", 5);
	block = OPENSSL_realloc(block, 5000);
	assert_string_equal(block, "kept");
	OPENSSL_free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_all_sizes_are_whole_and_apart),
		cmocka_unit_test(blocks_grow_and_shrink_with_what_they_hold),
		cmocka_unit_test(cleared_blocks_and_copies_are_as_their_namesakes),
		cmocka_unit_test(little_is_kept_of_much),
		cmocka_unit_test(openssl_takes_from_what_is_kept),
		cmocka_unit_test(no_bytes_are_no_block_to_openssl),
	};
	return cmocka_run_group_tests_name("kept_memory", tests, prepare, NULL);
}

/* libcurl's memory: as malloc()'s, kept for the next block of its size, and not without a bound. */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/curl_memory.h"

enum { MANY = 4096, KEPT_MAX = 1024 * 1024 };

static const size_t sizes[] = {0,    1,    31,    32,    33,    64,    100,   1000,  2047,  2048,
			       2049, 5000, 16384, 16385, 16896, 16897, 20000, 70000, 300000};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static int prepare(void **state)
{
	(void)state;
	return curl_memory_prepare();
}

static void blocks_of_all_sizes_are_whole_and_apart(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *blocks[SIZES];
		for (size_t i = 0; i < SIZES; i++) {
			blocks[i] = curl_memory_malloc(sizes[i]);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
			memset(blocks[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < SIZES; i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(blocks[i][at], i + 1);
			curl_memory_free(blocks[i]);
		}
	}
	curl_memory_free(NULL);
}

static void blocks_grow_and_shrink_with_what_they_hold(void **state)
{
	(void)state;
	for (size_t from = 0; from < SIZES; from++) {
		for (size_t to = 0; to < SIZES; to++) {
			size_t both = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
			unsigned char *block = curl_memory_realloc(NULL, sizes[from]);
			memset(block, 7, sizes[from]);
			block = curl_memory_realloc(block, sizes[to]);
			for (size_t at = 0; at < both; at++)
				assert_int_equal(block[at], 7);
			memset(block, 8, sizes[to]);
			curl_memory_free(block);
		}
	}
}

static void cleared_blocks_and_copies_are_as_their_namesakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		unsigned char *block = curl_memory_malloc(sizes[i]);
		memset(block, 9, sizes[i]);
		curl_memory_free(block);
		block = curl_memory_calloc(1, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(block[at], 0);
		curl_memory_free(block);
	}
	assert_null(curl_memory_calloc(SIZE_MAX / 2, 3));
	assert_null(curl_memory_malloc(SIZE_MAX - 1));
	char *copy = curl_memory_strdup("kept");
	assert_string_equal(copy, "kept");
	curl_memory_free(copy);
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
		blocks[i] = curl_memory_malloc(i % 2 == 0 ? 1000 : 16385);
	for (size_t i = 0; i < MANY; i++)
		curl_memory_free(blocks[i]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_all_sizes_are_whole_and_apart),
		cmocka_unit_test(blocks_grow_and_shrink_with_what_they_hold),
		cmocka_unit_test(cleared_blocks_and_copies_are_as_their_namesakes),
		cmocka_unit_test(little_is_kept_of_much),
	};
	return cmocka_run_group_tests_name("curl_memory", tests, prepare, NULL);
}

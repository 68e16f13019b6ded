/* Bodies that come packed: whole, in pieces, broken, cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "probe/unpack.h"

enum { ROOM = 64 * 1024, GZIP = MAX_WBITS + 16, ZLIB = MAX_WBITS, RAW = -MAX_WBITS };

static const char text[] = "Welcome to a page that says Welcome twice, and once more: Welcome.";

struct packed {
	unsigned char bytes[1024];
	size_t length;
};

static void add(struct packed *packed, int window, const char *body)
{
	z_stream stream = {0};
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (unsigned char *)body;
	stream.avail_in = (unsigned)strlen(body);
	stream.next_out = packed->bytes + packed->length;
	stream.avail_out = (unsigned)(sizeof(packed->bytes) - packed->length);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed->length = sizeof(packed->bytes) - stream.avail_out;
	(void)deflateEnd(&stream);
}

struct taken {
	char bytes[ROOM];
	size_t length;
	size_t max;
};

static bool take(void *context, const char *bytes, size_t length)
{
	struct taken *taken = context;
	if (taken->length + length > taken->max)
		return false;
	memcpy(taken->bytes + taken->length, bytes, length);
	taken->length += length;
	return true;
}

enum end { WHOLE, CUT_OFF, BROKEN };

/* Feed it in pieces of this size; what came is in taken. */
static enum end feed(enum unpack_kind kind, const unsigned char *bytes, size_t length, size_t piece,
		     struct taken *taken)
{
	struct unpack *unpack = unpack_create(kind);
	enum end end = WHOLE;
	taken->length = 0;
	taken->max = ROOM;
	for (size_t at = 0; at < length && end == WHOLE; at += piece) {
		size_t size = length - at < piece ? length - at : piece;
		if (unpack_feed(unpack, (const char *)bytes + at, size, take, taken) !=
		    UNPACK_FINE) {
			assert_non_null(unpack_trouble(unpack));
			end = BROKEN;
		}
	}
	if (end == WHOLE && unpack_is_cut_off(unpack))
		end = CUT_OFF;
	unpack_destroy(unpack);
	return end;
}

static const struct {
	enum unpack_kind kind;
	int window;
} kinds[] = {{UNPACK_GZIP, GZIP}, {UNPACK_DEFLATE, ZLIB}, {UNPACK_DEFLATE, RAW}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void whole_bodies_come_out_however_they_are_cut(void **state)
{
	(void)state;
	static struct taken taken;
	for (size_t i = 0; i < KINDS; i++) {
		struct packed packed = {0};
		add(&packed, kinds[i].window, text);
		for (size_t piece = 1; piece <= packed.length; piece++) {
			assert_int_equal(
				feed(kinds[i].kind, packed.bytes, packed.length, piece, &taken),
				WHOLE);
			assert_int_equal(taken.length, strlen(text));
			assert_memory_equal(taken.bytes, text, strlen(text));
		}
	}
}

static void each_end_that_comes_too_soon_is_noticed(void **state)
{
	(void)state;
	static struct taken taken;
	for (size_t i = 0; i < KINDS; i++) {
		struct packed packed = {0};
		add(&packed, kinds[i].window, text);
		assert_int_equal(feed(kinds[i].kind, packed.bytes, 0, 1, &taken), WHOLE);
		for (size_t length = 1; length < packed.length; length++)
			assert_int_equal(feed(kinds[i].kind, packed.bytes, length, length, &taken),
					 CUT_OFF);
	}
}

static void members_follow_one_another(void **state)
{
	(void)state;
	static struct taken taken;
	struct packed packed = {0};
	add(&packed, GZIP, "one ");
	size_t first = packed.length;
	add(&packed, GZIP, "");
	add(&packed, GZIP, "two");
	for (size_t piece = 1; piece <= packed.length; piece++) {
		assert_int_equal(feed(UNPACK_GZIP, packed.bytes, packed.length, piece, &taken),
				 WHOLE);
		assert_int_equal(taken.length, 7);
		assert_memory_equal(taken.bytes, "one two", 7);
	}
	assert_int_equal(feed(UNPACK_GZIP, packed.bytes, first, 5, &taken), WHOLE);
	assert_int_equal(feed(UNPACK_GZIP, packed.bytes, packed.length - 1, 5, &taken), CUT_OFF);
}

static void what_follows_the_end_is_left_alone(void **state)
{
	(void)state;
	static struct taken taken;
	for (size_t i = 0; i < KINDS; i++) {
		struct packed packed = {0};
		add(&packed, kinds[i].window, text);
		memcpy(packed.bytes + packed.length, "\0\0 noise", 8);
		for (size_t more = 1; more <= 8; more++) {
			assert_int_equal(
				feed(kinds[i].kind, packed.bytes, packed.length + more, 3, &taken),
				WHOLE);
			assert_int_equal(taken.length, strlen(text));
		}
	}
}

static void broken_bodies_are_told(void **state)
{
	(void)state;
	static struct taken taken;
	struct packed packed = {0};
	add(&packed, GZIP, text);
	packed.bytes[packed.length - 5] ^= 1; /* the check sum */
	assert_int_equal(feed(UNPACK_GZIP, packed.bytes, packed.length, 7, &taken), BROKEN);
	packed.bytes[packed.length - 5] ^= 1;
	packed.bytes[packed.length - 1] ^= 1; /* the length */
	assert_int_equal(feed(UNPACK_GZIP, packed.bytes, packed.length, 7, &taken), BROKEN);
	assert_int_equal(feed(UNPACK_GZIP, (const unsigned char *)"not gzip", 8, 8, &taken),
			 BROKEN);
	assert_int_equal(
		feed(UNPACK_DEFLATE, (const unsigned char *)"\xff\xff\xff\xff", 4, 1, &taken),
		BROKEN);
	const unsigned char with_dictionary[] = {0x78, 0xbb, 0, 0, 0, 0, 'x'};
	assert_int_equal(feed(UNPACK_DEFLATE, with_dictionary, sizeof(with_dictionary), 7, &taken),
			 BROKEN);
}

static void whoever_takes_the_bytes_can_end_it(void **state)
{
	(void)state;
	static struct taken taken = {.max = 10};
	struct packed packed = {0};
	add(&packed, GZIP, text);
	struct unpack *unpack = unpack_create(UNPACK_GZIP);
	assert_int_equal(
		unpack_feed(unpack, (const char *)packed.bytes, packed.length, take, &taken),
		UNPACK_STOPPED);
	assert_null(unpack_trouble(unpack));
	unpack_destroy(unpack);
	unpack_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_bodies_come_out_however_they_are_cut),
		cmocka_unit_test(each_end_that_comes_too_soon_is_noticed),
		cmocka_unit_test(members_follow_one_another),
		cmocka_unit_test(what_follows_the_end_is_left_alone),
		cmocka_unit_test(broken_bodies_are_told),
		cmocka_unit_test(whoever_takes_the_bytes_can_end_it),
	};
	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}

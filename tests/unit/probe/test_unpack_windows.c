/* Bodies packed as br and zstd: whole, in pieces, cut off, broken, and with windows that take more memory than they may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <brotli/encode.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "probe/unpack.h"

enum { KIB = 1024, MIB = 1024 * KIB, BODY_MAX = 3 * MIB, PIECE = 16 * KIB };

static unsigned char packed_room[2 * BODY_MAX];
static unsigned char long_body[BODY_MAX];

static const char text[] = "Welcome to a page that says Welcome twice, and once more: Welcome.";

struct packed {
	unsigned char *bytes;
	size_t length;
};

static struct packed pack_brotli(const void *body, size_t length, int window_log)
{
	struct packed packed = {.bytes = packed_room, .length = sizeof(packed_room)};
	assert_int_equal(BrotliEncoderCompress(1, window_log, BROTLI_MODE_GENERIC, length, body,
					       &packed.length, packed.bytes),
			 BROTLI_TRUE);
	return packed;
}

/* In a frame that does not tell its length, as servers pack what they do not know the end of. */
static struct packed pack_zstd(const void *body, size_t length, int window_log)
{
	struct packed packed = {.bytes = packed_room};
	ZSTD_CCtx *context = ZSTD_createCCtx();
	assert_non_null(context);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_outBuffer output = {.dst = packed.bytes, .size = sizeof(packed_room)};
	ZSTD_inBuffer input = {.src = body, .size = length / 2};
	(void)ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
	input.size = length;
	assert_int_equal(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0);
	(void)ZSTD_freeCCtx(context);
	packed.length = output.pos;
	return packed;
}

static const struct kind {
	enum unpack_kind kind;
	struct packed (*pack)(const void *body, size_t length, int window_log);
	int smallest; /* window's logarithm */
	int largest;
} kinds[] = {{UNPACK_BROTLI, pack_brotli, 10, 24}, {UNPACK_ZSTD, pack_zstd, 10, 23}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct taken {
	const unsigned char *expected;
	size_t length;
};

static bool take(void *context, const char *bytes, size_t length)
{
	struct taken *taken = context;
	assert_memory_equal(bytes, taken->expected + taken->length, length);
	taken->length += length;
	return true;
}

/* Feed it in pieces of this size, to its end or to where it is not fine. */
static enum unpack_result feed(struct unpack *unpack, const struct packed *packed, size_t piece,
			       struct taken *taken)
{
	enum unpack_result result = UNPACK_FINE;
	for (size_t at = 0; at < packed->length && result == UNPACK_FINE; at += piece) {
		size_t left = packed->length - at;
		result = unpack_feed(unpack, (const char *)packed->bytes + at,
				     left < piece ? left : piece, take, taken);
	}
	return result;
}

static void whole_bodies_come_out_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct packed packed = kinds[i].pack(text, strlen(text), 16);
		for (size_t piece = 1; piece <= packed.length; piece++) {
			struct taken taken = {.expected = (const unsigned char *)text};
			struct unpack *unpack = unpack_create(kinds[i].kind);
			assert_int_equal(feed(unpack, &packed, piece, &taken), UNPACK_FINE);
			assert_false(unpack_is_cut_off(unpack));
			assert_int_equal(taken.length, strlen(text));
			unpack_destroy(unpack);
		}
	}
}

static void each_end_that_comes_too_soon_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct packed packed = kinds[i].pack(text, strlen(text), 16);
		size_t whole = packed.length;
		for (packed.length = 0; packed.length < whole; packed.length++) {
			struct taken taken = {.expected = (const unsigned char *)text};
			struct unpack *unpack = unpack_create(kinds[i].kind);
			assert_int_equal(feed(unpack, &packed, PIECE, &taken), UNPACK_FINE);
			assert_int_equal(unpack_is_cut_off(unpack), packed.length > 0);
			unpack_destroy(unpack);
		}
	}
}

static void broken_bodies_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		unsigned char noise[50];
		memset(noise, 0xff, sizeof(noise));
		struct packed packed = {.bytes = noise, .length = sizeof(noise)};
		struct taken taken = {0};
		struct unpack *unpack = unpack_create(kinds[i].kind);
		assert_int_equal(feed(unpack, &packed, 7, &taken), UNPACK_BROKEN);
		assert_string_equal(unpack_trouble(unpack), "");
		unpack_destroy(unpack);
	}
}

static void frames_of_zstd_follow_one_another(void **state)
{
	(void)state;
	struct packed packed = pack_zstd(text, strlen(text), 16);
	unsigned char room[KIB];
	char twice[2 * sizeof(text)];
	struct packed two = {.bytes = room, .length = 2 * packed.length};
	assert_true(two.length <= sizeof(room));
	memcpy(room, packed.bytes, packed.length);
	memcpy(room + packed.length, packed.bytes, packed.length);
	(void)snprintf(twice, sizeof(twice), "%s%s", text, text);
	for (size_t piece = 1; piece <= two.length; piece++) {
		struct taken taken = {.expected = (const unsigned char *)twice};
		struct unpack *unpack = unpack_create(UNPACK_ZSTD);
		assert_int_equal(feed(unpack, &two, piece, &taken), UNPACK_FINE);
		assert_false(unpack_is_cut_off(unpack));
		assert_int_equal(taken.length, 2 * strlen(text));
		unpack_destroy(unpack);
	}
}

/* Bytes that pack to about half: each is one of sixteen. */
static void make_long_body(void)
{
	uint32_t random = 1;
	for (size_t i = 0; i < sizeof(long_body); i++) {
		random = random * 1103515245 + 12345;
		long_body[i] = (unsigned char)('a' + (random >> 16) % 16);
	}
}

static void a_large_window_is_refused_once_it_is_filled(void **state)
{
	(void)state;
	make_long_body();
	for (size_t i = 0; i < KINDS; i++) {
		const struct {
			size_t length;
			int window_log;
			enum unpack_result result;
		} table[] = {
			{BODY_MAX, kinds[i].smallest, UNPACK_FINE},
			{BODY_MAX, 19, UNPACK_FINE},
			{(size_t)900 * KIB, kinds[i].largest, UNPACK_FINE}, /* never filled */
			{BODY_MAX, 22, UNPACK_OVER},
			{BODY_MAX, kinds[i].largest, UNPACK_OVER},
		};
		for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
			struct packed packed =
				kinds[i].pack(long_body, table[row].length, table[row].window_log);
			struct taken taken = {.expected = long_body};
			struct unpack *unpack = unpack_create(kinds[i].kind);
			assert_int_equal(feed(unpack, &packed, PIECE, &taken), table[row].result);
			if (table[row].result == UNPACK_FINE)
				assert_int_equal(taken.length, table[row].length);
			else
				assert_in_range(taken.length, (size_t)512 * KIB, (size_t)2 * MIB);
			unpack_destroy(unpack);
		}
	}
}

/* A body of which each so many bytes can be read as soon as they have come, as some servers send theirs. */
static struct packed flush_brotli(const unsigned char *body, size_t length, size_t step)
{
	struct packed packed = {.bytes = packed_room};
	BrotliEncoderState *encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	assert_non_null(encoder);
	(void)BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, 2);
	(void)BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, 16);
	size_t room = sizeof(packed_room);
	uint8_t *end = packed.bytes;
	for (size_t at = 0; at < length; at += step) {
		size_t left = step;
		const uint8_t *next = body + at;
		do
			assert_true(BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FLUSH,
								&left, &next, &room, &end, NULL));
		while (left > 0 || BrotliEncoderHasMoreOutput(encoder));
	}
	BrotliEncoderDestroyInstance(encoder);
	packed.length = (size_t)(end - packed.bytes);
	return packed;
}

static struct packed flush_zstd(const unsigned char *body, size_t length, size_t step)
{
	struct packed packed = {.bytes = packed_room};
	ZSTD_CCtx *context = ZSTD_createCCtx();
	assert_non_null(context);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 16);
	ZSTD_outBuffer output = {.dst = packed.bytes, .size = sizeof(packed_room)};
	for (size_t at = 0; at < length; at += step) {
		ZSTD_inBuffer input = {.src = body + at, .size = step};
		assert_int_equal(ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush), 0);
	}
	(void)ZSTD_freeCCtx(context);
	packed.length = output.pos;
	return packed;
}

static struct packed flush_gzip(const unsigned char *body, size_t length, size_t step)
{
	struct packed packed = {.bytes = packed_room};
	z_stream stream = {.next_out = packed.bytes, .avail_out = sizeof(packed_room)};
	assert_int_equal(
		deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t at = 0; at < length; at += step) {
		stream.next_in = (unsigned char *)body + at;
		stream.avail_in = (unsigned)step;
		assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
	}
	packed.length = stream.total_out;
	(void)deflateEnd(&stream);
	return packed;
}

static void more_pieces_than_anybody_sends_are_refused(void **state)
{
	(void)state;
	static const struct {
		enum unpack_kind kind;
		struct packed (*flush)(const unsigned char *body, size_t length, size_t step);
	} rows[] = {{UNPACK_BROTLI, flush_brotli},
		    {UNPACK_ZSTD, flush_zstd},
		    {UNPACK_GZIP, flush_gzip}};
	make_long_body();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t step = 256; step <= 4096; step *= 16) {
			struct packed packed = rows[i].flush(long_body, BODY_MAX, step);
			struct taken taken = {.expected = long_body};
			struct unpack *unpack = unpack_create(rows[i].kind);
			assert_int_equal(feed(unpack, &packed, PIECE, &taken),
					 step == 256 ? UNPACK_COSTLY : UNPACK_FINE);
			if (step != 256)
				assert_int_equal(taken.length, BODY_MAX);
			unpack_destroy(unpack);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_bodies_come_out_however_they_are_cut),
		cmocka_unit_test(each_end_that_comes_too_soon_is_noticed),
		cmocka_unit_test(broken_bodies_are_told),
		cmocka_unit_test(frames_of_zstd_follow_one_another),
		cmocka_unit_test(more_pieces_than_anybody_sends_are_refused),
		cmocka_unit_test(a_large_window_is_refused_once_it_is_filled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "probe/unpack.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "probe/unpack_brotli.h"
#include "probe/unpack_zstd.h"

enum {
	OUTPUT_SIZE = 16 * 1024,
	GZIP_WINDOW = MAX_WBITS + 16,
	MAGIC = 2, /* bytes that tell zlib's head, or another member */
	/* In zlib's data_type: bits of the last byte that are left, and why it returned. */
	BITS_LEFT = 7,
	AT_BLOCK_END = 128,
	AT_HEAD_END = 256,
	PLAIN_HEAD_BITS =
		48, /* a block's head without tables, or with next to none, is no longer */
};

enum unpack_state {
	UNPACK_BEGINS, /* the head is not seen yet */
	UNPACK_RUNS,
	UNPACK_BETWEEN, /* a member has ended; there may be another */
	UNPACK_ENDED,
};

struct unpack {
	z_stream stream;
	enum unpack_kind kind;
	struct unpack_brotli *brotli; /* NULL but for br … */
	struct unpack_zstd *zstd;     /* … and zstd */
	enum unpack_state state;
	unsigned long block_bits; /* where the present block began, in its member */
	int tables;               /* blocks that brought their own */
	const char *trouble;
	unsigned char magic[MAGIC];
	size_t magic_length;
};

struct unpack *unpack_create(enum unpack_kind kind)
{
	struct unpack *unpack = xcalloc(1, sizeof(*unpack));
	unpack->kind = kind;
	if (kind == UNPACK_BROTLI)
		unpack->brotli = unpack_brotli_create();
	else if (kind == UNPACK_ZSTD)
		unpack->zstd = unpack_zstd_create();
	else if (inflateInit2(&unpack->stream, GZIP_WINDOW) != Z_OK)
		abort(); /* out of memory, as in xmalloc() */
	return unpack;
}

void unpack_destroy(struct unpack *unpack)
{
	if (unpack == NULL)
		return;
	unpack_brotli_destroy(unpack->brotli);
	unpack_zstd_destroy(unpack->zstd);
	if (unpack->brotli == NULL && unpack->zstd == NULL)
		(void)inflateEnd(&unpack->stream);
	free(unpack);
}

static enum unpack_result broken(struct unpack *unpack, const char *trouble)
{
	unpack->trouble = trouble;
	return UNPACK_BROKEN;
}

static bool has_zlib_head(const unsigned char magic[static MAGIC])
{
	return (magic[0] & 0x0f) == Z_DEFLATED && (magic[0] * 256 + magic[1]) % 31 == 0;
}

static bool has_gzip_head(const unsigned char magic[static MAGIC])
{
	return magic[0] == 0x1f && magic[1] == 0x8b;
}

/* Returns false where there were too many blocks with tables of their own. */
static bool note_block(struct unpack *unpack)
{
	const z_stream *stream = &unpack->stream;
	unsigned long bits = stream->total_in * 8 - (unsigned long)(stream->data_type & BITS_LEFT);
	if ((stream->data_type & AT_HEAD_END) != 0 && bits - unpack->block_bits > PLAIN_HEAD_BITS)
		unpack->tables++;
	if ((stream->data_type & AT_BLOCK_END) != 0)
		unpack->block_bits = bits;
	return unpack->tables <= UNPACK_TABLES_MAX;
}

/* Unpack these bytes, and look at each block on the way; what the stream did not want stays in it. */
static enum unpack_result run(struct unpack *unpack, const unsigned char *bytes, size_t length,
			      unpack_on_bytes on_bytes, void *context)
{
	z_stream *stream = &unpack->stream;
	unsigned char output[OUTPUT_SIZE];
	stream->next_in = (unsigned char *)bytes;
	stream->avail_in = (unsigned)length;
	stream->next_out = output;
	stream->avail_out = sizeof(output);
	int status;
	do {
		status = inflate(stream, Z_TREES);
		bool is_stop = status != Z_OK || stream->avail_out == 0 || stream->avail_in == 0;
		size_t count = sizeof(output) - stream->avail_out;
		if (is_stop && count > 0) {
			if (!on_bytes(context, (const char *)output, count))
				return UNPACK_STOPPED;
			stream->next_out = output;
			stream->avail_out = sizeof(output);
		}
		if (status == Z_STREAM_END)
			unpack->state = unpack->kind == UNPACK_GZIP ? UNPACK_BETWEEN : UNPACK_ENDED;
		else if (status == Z_NEED_DICT)
			return broken(unpack, "it needs a dictionary");
		else if (status != Z_OK && status != Z_BUF_ERROR)
			return broken(unpack, stream->msg != NULL ? stream->msg : "");
		else if (!note_block(unpack))
			return UNPACK_COSTLY;
	} while (status == Z_OK);
	return UNPACK_FINE;
}

/* The first bytes, or those behind a member, tell how to go on. */
static enum unpack_result begin(struct unpack *unpack)
{
	bool is_another = unpack->state == UNPACK_BETWEEN;
	unpack->state = UNPACK_RUNS;
	if (is_another && !has_gzip_head(unpack->magic)) {
		unpack->state = UNPACK_ENDED;
		return UNPACK_FINE;
	}
	int window = GZIP_WINDOW;
	if (unpack->kind == UNPACK_DEFLATE)
		window = has_zlib_head(unpack->magic) ? MAX_WBITS : -MAX_WBITS;
	unpack->block_bits = 0;
	return inflateReset2(&unpack->stream, window) == Z_OK ? UNPACK_FINE : broken(unpack, "");
}

static enum unpack_result inflate_bytes(struct unpack *unpack, const char *bytes, size_t length,
					unpack_on_bytes on_bytes, void *context)
{
	const unsigned char *next = (const unsigned char *)bytes;
	const unsigned char *end = next + length;
	enum unpack_result result = UNPACK_FINE;
	while (next < end && result == UNPACK_FINE && unpack->state != UNPACK_ENDED) {
		if (unpack->state == UNPACK_RUNS) {
			result = run(unpack, next, (size_t)(end - next), on_bytes, context);
			next = end - unpack->stream.avail_in;
			continue;
		}
		unpack->magic[unpack->magic_length++] = *next++;
		if (unpack->magic_length < MAGIC)
			continue;
		unpack->magic_length = 0;
		result = begin(unpack);
		if (result == UNPACK_FINE && unpack->state == UNPACK_RUNS)
			result = run(unpack, unpack->magic, MAGIC, on_bytes, context);
	}
	return result;
}

enum unpack_result unpack_feed(struct unpack *unpack, const char *bytes, size_t length,
			       unpack_on_bytes on_bytes, void *context)
{
	enum unpack_result result;
	if (unpack->brotli != NULL)
		result = unpack_brotli_feed(unpack->brotli, bytes, length, on_bytes, context);
	else if (unpack->zstd != NULL)
		result = unpack_zstd_feed(unpack->zstd, bytes, length, on_bytes, context);
	else
		result = inflate_bytes(unpack, bytes, length, on_bytes, context);
	if (result == UNPACK_BROKEN && unpack->trouble == NULL)
		unpack->trouble = "";
	return result;
}

const char *unpack_trouble(const struct unpack *unpack)
{
	return unpack->trouble;
}

bool unpack_is_cut_off(const struct unpack *unpack)
{
	if (unpack->brotli != NULL)
		return unpack_brotli_is_cut_off(unpack->brotli);
	if (unpack->zstd != NULL)
		return unpack_zstd_is_cut_off(unpack->zstd);
	bool has_begun = unpack->state == UNPACK_BEGINS && unpack->magic_length > 0;
	return has_begun || unpack->state == UNPACK_RUNS;
}

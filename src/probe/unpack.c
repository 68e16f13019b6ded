#include "probe/unpack.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

enum {
	OUTPUT_SIZE = 16 * 1024,
	GZIP_WINDOW = MAX_WBITS + 16,
	MAGIC = 2, /* bytes that tell zlib's head, or another member */
};

enum unpack_state {
	UNPACK_BEGINS, /* the head is not seen yet */
	UNPACK_RUNS,
	UNPACK_BETWEEN, /* a member has ended; there may be another */
	UNPACK_ENDED,
	UNPACK_BROKEN,
};

struct unpack {
	z_stream stream;
	enum unpack_kind kind;
	enum unpack_state state;
	const char *trouble;
	unsigned char magic[MAGIC];
	size_t magic_length;
};

struct unpack *unpack_create(enum unpack_kind kind)
{
	struct unpack *unpack = xcalloc(1, sizeof(*unpack));
	unpack->kind = kind;
	if (inflateInit2(&unpack->stream, GZIP_WINDOW) != Z_OK)
		abort(); /* out of memory, as in xmalloc() */
	return unpack;
}

void unpack_destroy(struct unpack *unpack)
{
	if (unpack == NULL)
		return;
	(void)inflateEnd(&unpack->stream);
	free(unpack);
}

static bool is_broken(struct unpack *unpack, const char *trouble)
{
	unpack->state = UNPACK_BROKEN;
	unpack->trouble = trouble;
	return false;
}

static bool has_zlib_head(const unsigned char magic[static MAGIC])
{
	return (magic[0] & 0x0f) == Z_DEFLATED && (magic[0] * 256 + magic[1]) % 31 == 0;
}

static bool has_gzip_head(const unsigned char magic[static MAGIC])
{
	return magic[0] == 0x1f && magic[1] == 0x8b;
}

/* Unpack these bytes; what the stream did not want stays in it. */
static bool run(struct unpack *unpack, const unsigned char *bytes, size_t length,
		unpack_on_bytes on_bytes, void *context)
{
	z_stream *stream = &unpack->stream;
	unsigned char output[OUTPUT_SIZE];
	stream->next_in = (unsigned char *)bytes;
	stream->avail_in = (unsigned)length;
	int status;
	do {
		stream->next_out = output;
		stream->avail_out = sizeof(output);
		status = inflate(stream, Z_NO_FLUSH);
		size_t count = sizeof(output) - stream->avail_out;
		if (count > 0 && !on_bytes(context, (const char *)output, count))
			return false;
		if (status == Z_STREAM_END)
			unpack->state = unpack->kind == UNPACK_GZIP ? UNPACK_BETWEEN : UNPACK_ENDED;
		else if (status == Z_NEED_DICT)
			return is_broken(unpack, "it needs a dictionary");
		else if (status != Z_OK && status != Z_BUF_ERROR)
			return is_broken(unpack, stream->msg != NULL ? stream->msg : "");
	} while (status == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0));
	return true;
}

/* The first bytes, or those behind a member, tell how to go on. */
static bool begin(struct unpack *unpack)
{
	bool is_another = unpack->state == UNPACK_BETWEEN;
	unpack->state = UNPACK_RUNS;
	if (is_another && !has_gzip_head(unpack->magic)) {
		unpack->state = UNPACK_ENDED;
		return true;
	}
	int window = GZIP_WINDOW;
	if (unpack->kind == UNPACK_DEFLATE)
		window = has_zlib_head(unpack->magic) ? MAX_WBITS : -MAX_WBITS;
	return inflateReset2(&unpack->stream, window) == Z_OK || is_broken(unpack, "");
}

bool unpack_feed(struct unpack *unpack, const char *bytes, size_t length, unpack_on_bytes on_bytes,
		 void *context)
{
	const unsigned char *next = (const unsigned char *)bytes;
	const unsigned char *end = next + length;
	while (next < end) {
		switch (unpack->state) {
		case UNPACK_BEGINS:
		case UNPACK_BETWEEN:
			unpack->magic[unpack->magic_length++] = *next++;
			if (unpack->magic_length < MAGIC)
				break;
			unpack->magic_length = 0;
			if (!begin(unpack))
				return false;
			if (unpack->state == UNPACK_RUNS &&
			    !run(unpack, unpack->magic, MAGIC, on_bytes, context))
				return false;
			break;
		case UNPACK_RUNS:
			if (!run(unpack, next, (size_t)(end - next), on_bytes, context))
				return false;
			next = end - unpack->stream.avail_in;
			break;
		case UNPACK_ENDED:
			return true;
		case UNPACK_BROKEN:
			return false;
		}
	}
	return true;
}

const char *unpack_trouble(const struct unpack *unpack)
{
	return unpack->trouble;
}

bool unpack_is_cut_off(const struct unpack *unpack)
{
	bool has_begun = unpack->state == UNPACK_BEGINS && unpack->magic_length > 0;
	return has_begun || unpack->state == UNPACK_RUNS;
}

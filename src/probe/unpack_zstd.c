#include "probe/unpack_zstd.h"

#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"

enum {
	OUTPUT_SIZE = 16 * 1024,
	WINDOW_LOG_MAX = 23, /* 8 MiB */
	HEAD = 6,            /* of a frame: magic, descriptor, window */
	IS_ONE_SEGMENT = 0x20,
};

struct unpack_zstd {
	ZSTD_DStream *stream;
	unsigned char head[HEAD]; /* of the present frame */
	size_t head_length;
	uint64_t frame_bytes; /* unpacked of it */
	bool is_inside;       /* a frame */
	size_t wanted;        /* bytes to the end of the present piece: a head, or a block */
	int pieces;
};

struct unpack_zstd *unpack_zstd_create(void)
{
	struct unpack_zstd *unpack = xcalloc(1, sizeof(*unpack));
	unpack->stream = ZSTD_createDStream();
	if (unpack->stream == NULL)
		abort(); /* out of memory, as in xmalloc() */
	(void)ZSTD_DCtx_setParameter(unpack->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return unpack;
}

void unpack_zstd_destroy(struct unpack_zstd *unpack)
{
	if (unpack == NULL)
		return;
	(void)ZSTD_freeDStream(unpack->stream);
	free(unpack);
}

/* RFC 8878, 3.1.1.1: a frame in one segment has a window as large as its content. */
static bool has_large_window(const struct unpack_zstd *unpack)
{
	if (unpack->head_length < HEAD || (unpack->head[4] & IS_ONE_SEGMENT) != 0)
		return true;
	unsigned char descriptor = unpack->head[5];
	uint64_t base = UINT64_C(1) << (10 + (descriptor >> 3));
	return base + base / 8 * (descriptor & 7) > UNPACK_WINDOW_MAX;
}

static void note_head(struct unpack_zstd *unpack, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length && unpack->head_length < HEAD; i++)
		unpack->head[unpack->head_length++] = bytes[i];
}

static void note_end(struct unpack_zstd *unpack)
{
	unpack->is_inside = false;
	unpack->head_length = 0;
	unpack->frame_bytes = 0;
}

/* Of what comes, no more than to the end of a piece, so that pieces can be counted. */
static void aim(const struct unpack_zstd *unpack, ZSTD_inBuffer *input, size_t length)
{
	size_t left = length - input->pos;
	size_t wanted = unpack->wanted > 0 ? unpack->wanted : 1;
	input->size = input->pos + (left < wanted ? left : wanted);
}

enum unpack_result unpack_zstd_feed(struct unpack_zstd *unpack, const char *bytes, size_t length,
				    unpack_on_bytes on_bytes, void *context)
{
	ZSTD_inBuffer input = {.src = bytes};
	bool is_full = false; /* there may be more to come of what was taken */
	while (input.pos < length || is_full) {
		unsigned char room[OUTPUT_SIZE];
		ZSTD_outBuffer output = {.dst = room, .size = sizeof(room)};
		size_t before = input.pos;
		aim(unpack, &input, length);
		size_t status = ZSTD_decompressStream(unpack->stream, &output, &input);
		if (ZSTD_isError(status) != 0) {
			bool is_over = ZSTD_getErrorCode(status) ==
				       ZSTD_error_frameParameter_windowTooLarge;
			return is_over ? UNPACK_OVER : UNPACK_BROKEN;
		}
		size_t taken = input.pos - before;
		if (taken >= unpack->wanted && ++unpack->pieces > UNPACK_TABLES_MAX)
			return UNPACK_COSTLY;
		unpack->wanted = status;
		unpack->is_inside = true;
		note_head(unpack, (const unsigned char *)bytes + before, taken);
		unpack->frame_bytes += output.pos;
		if (output.pos > 0 && !on_bytes(context, (const char *)room, output.pos))
			return UNPACK_STOPPED;
		if (unpack->frame_bytes > UNPACK_WINDOW_MAX && has_large_window(unpack))
			return UNPACK_OVER;
		is_full = output.pos == output.size;
		if (status == 0) {
			note_end(unpack);
			is_full = false;
		}
	}
	return UNPACK_FINE;
}

bool unpack_zstd_is_cut_off(const struct unpack_zstd *unpack)
{
	return unpack->is_inside;
}

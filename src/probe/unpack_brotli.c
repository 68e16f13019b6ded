#include "probe/unpack_brotli.h"

#include <brotli/decode.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
	OUTPUT_SIZE = 16 * 1024,
	/* The window, half of it as it grows, and the tables of codes. */
	MEMORY_MAX = UNPACK_WINDOW_MAX + UNPACK_WINDOW_MAX * 3 / 4,
	/* All that it takes and gives back: three tables for each piece, of as much at least. */
	MEMORY_TURNOVER_MAX = UNPACK_TABLES_MAX * 16 * 1024,
};

struct unpack_brotli {
	BrotliDecoderState *decoder;
	size_t used;  /* by the decoder */
	size_t taken; /* by it, over time */
	bool is_over;
	bool is_costly;
	bool has_begun;
};

/* What the decoder gets begins behind its size. */
union block {
	size_t size;
	max_align_t alignment;
};

static void *take_memory(void *owner, size_t size)
{
	struct unpack_brotli *unpack = owner;
	if (size > MEMORY_MAX - unpack->used) {
		unpack->is_over = true;
		return NULL;
	}
	unpack->taken += size;
	unpack->is_costly = unpack->taken > MEMORY_TURNOVER_MAX;
	if (unpack->is_costly)
		return NULL;
	union block *block = xmalloc(sizeof(*block) + size);
	block->size = size;
	unpack->used += size;
	return block + 1;
}

static void give_memory(void *owner, void *memory)
{
	struct unpack_brotli *unpack = owner;
	if (memory == NULL)
		return;
	union block *block = (union block *)memory - 1;
	unpack->used -= block->size;
	free(block);
}

struct unpack_brotli *unpack_brotli_create(void)
{
	struct unpack_brotli *unpack = xcalloc(1, sizeof(*unpack));
	unpack->decoder = BrotliDecoderCreateInstance(take_memory, give_memory, unpack);
	if (unpack->decoder == NULL)
		abort(); /* as in xmalloc(): its own state is far below the bound */
	return unpack;
}

void unpack_brotli_destroy(struct unpack_brotli *unpack)
{
	if (unpack == NULL)
		return;
	BrotliDecoderDestroyInstance(unpack->decoder);
	free(unpack);
}

enum unpack_result unpack_brotli_feed(struct unpack_brotli *unpack, const char *bytes,
				      size_t length, unpack_on_bytes on_bytes, void *context)
{
	const uint8_t *next = (const uint8_t *)bytes;
	size_t left = length;
	if (length > 0)
		unpack->has_begun = true;
	for (;;) {
		uint8_t output[OUTPUT_SIZE];
		uint8_t *end = output;
		size_t room = sizeof(output);
		BrotliDecoderResult result = BrotliDecoderDecompressStream(
			unpack->decoder, &left, &next, &room, &end, NULL);
		if (end > output &&
		    !on_bytes(context, (const char *)output, (size_t)(end - output)))
			return UNPACK_STOPPED;
		switch (result) {
		case BROTLI_DECODER_RESULT_ERROR:
			return unpack->is_costly ? UNPACK_COSTLY
			       : unpack->is_over ? UNPACK_OVER
						 : UNPACK_BROKEN;
		case BROTLI_DECODER_RESULT_SUCCESS:
		case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
			return UNPACK_FINE;
		case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
			break;
		}
	}
}

bool unpack_brotli_is_cut_off(const struct unpack_brotli *unpack)
{
	return unpack->has_begun && BrotliDecoderIsFinished(unpack->decoder) == BROTLI_FALSE;
}

#include "probe/transfer_body.h"

#include "check/request.h"
#include "check/site.h"
#include "probe/poller.h"
#include "probe/redirect.h"
#include "probe/stop.h"
#include "probe/transfer.h"
#include "probe/transfer_http2.h"
#include "probe/transfer_keep.h"
#include "probe/transfer_options.h"
#include "probe/unpack.h"

enum {
	HTTP_PARTIAL_CONTENT = 206,
	/* What packing may add to a body: each block of it may have tables that take longer to read than what they are for. */
	PACKED_SLACK = 64 * 1024,
	/*
	 * What a body may make of work in one turn of the loop, half a millisecond or so: its bytes, and as many more for each call, which
	 * may bring a chunk of one byte, and for each byte that is packed. Then others have their turn.
	 */
	WORK_A_TURN = 512 * 1024,
	WORK_A_CALL = 128,
	WORK_A_PACKED_BYTE = 32,
	/* Unpacked at once: gzip makes a thousand times as much of it at most. */
	SLICE = 512,
};

bool transfer_is_unpacked(const struct transfer *transfer)
{
	const char *wanted = request_of(transfer->site)->accept_encoding;
	return wanted == NULL || wanted[0] != '\0';
}

/* What a site says, unpacked; or packed, and then only counted. */
static bool take_body(void *context, const char *bytes, size_t length)
{
	struct transfer *transfer = context;
	if (!transfer->is_left_packed)
		transfer_keep_body(transfer, bytes, length);
	transfer->decoded_bytes += (int64_t)length;
	transfer->work += (int64_t)length;
	if (transfer->decoded_bytes > transfer->site->max_body_bytes)
		transfer->stopped_for = STOP_BODY;
	else if (transfer->redirects_bytes + transfer->decoded_bytes > STOP_BODIES_MAX)
		transfer->stopped_for = STOP_BODIES;
	return transfer->stopped_for == STOP_NONE;
}

/* What we have to unpack; as curl does it, a packing of the transfer whether or not the site wants its content unpacked. */
static enum packing packing_of(const struct transfer *transfer)
{
	const struct response_head *head = &transfer->head;
	if (transfer->is_left_packed)
		return PACKED_NOT;
	if (head->transfer_packing != PACKED_NOT)
		return head->transfer_packing;
	return head->packing != PACKED_NOT && transfer_is_unpacked(transfer) ? head->packing
									     : PACKED_NOT;
}

/* Whether the hop is a redirect that is followed, whose body nobody looks at: there it does no harm that it can't be unpacked. */
static bool is_passed_by(const struct transfer *transfer)
{
	return transfer->site->follow_redirects && transfer->head.location != NULL &&
	       redirect_is(transfer_status(transfer));
}

/* What is wrong with how a body is packed that has begun to come; where there is none (HEAD, 204), nothing is. */
static enum stop look_at_packing(const struct transfer *transfer)
{
	const struct response_head *head = &transfer->head;
	bool is_unpacked = transfer_is_unpacked(transfer);
	if (head->transfer_encodings + (is_unpacked ? head->content_encodings : 0) > 1)
		return STOP_ENCODINGS;
	return head->has_large_window && is_unpacked && !transfer_wants_large_window(transfer->site)
		       ? STOP_UNASKED
		       : STOP_NONE;
}

/* The rest of the body stays as it is packed where that is no reason to end. */
static void stop_unpacking(struct transfer *transfer, enum stop stop)
{
	bool is_about_packing = stop == STOP_ENCODINGS || stop == STOP_UNASKED ||
				stop == STOP_PACKING || stop == STOP_UNPACKING ||
				stop == STOP_WINDOW || stop == STOP_PIECES;
	if (is_about_packing && is_passed_by(transfer))
		transfer->is_left_packed = true;
	else
		transfer->stopped_for = stop;
}

static enum stop unpack_body(struct transfer *transfer, enum packing packing, const char *bytes,
			     size_t length)
{
	static const enum unpack_kind kinds[] = {[PACKED_GZIP] = UNPACK_GZIP,
						 [PACKED_DEFLATE] = UNPACK_DEFLATE,
						 [PACKED_BROTLI] = UNPACK_BROTLI,
						 [PACKED_ZSTD] = UNPACK_ZSTD};
	if (packing == PACKED_UNKNOWN)
		return STOP_PACKING;
	if (transfer->unpack == NULL)
		transfer->unpack = unpack_create(kinds[packing]);
	switch (unpack_feed(transfer->unpack, bytes, length, take_body, transfer)) {
	case UNPACK_FINE:
		break;
	case UNPACK_STOPPED:
		return transfer->stopped_for;
	case UNPACK_BROKEN:
		return STOP_UNPACKING;
	case UNPACK_OVER:
		return STOP_WINDOW;
	case UNPACK_COSTLY:
		return STOP_PIECES;
	}
	transfer->packed_bytes += (int64_t)length;
	transfer->work += (int64_t)length * WORK_A_PACKED_BYTE;
	int64_t most = transfer->decoded_bytes + transfer->decoded_bytes / 8 + PACKED_SLACK;
	return transfer->packed_bytes > most ? STOP_RAW : STOP_NONE;
}

/* Whether it was enough for this turn. */
static bool is_enough(const struct transfer *transfer)
{
	return transfer->work >= WORK_A_TURN && transfer->poller != NULL;
}

/* Take these bytes, as many as this turn is for; the rest is left to another. Returns how many. */
static size_t take_packed(struct transfer *transfer, enum packing packing, const char *bytes,
			  size_t length)
{
	size_t taken = 0;
	while (taken < length && transfer->stopped_for == STOP_NONE && !transfer->is_left_packed &&
	       !is_enough(transfer)) {
		size_t slice = length - taken < SLICE ? length - taken : SLICE;
		stop_unpacking(transfer, unpack_body(transfer, packing, bytes + taken, slice));
		taken += slice;
	}
	return taken;
}

size_t transfer_on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;
	size_t taken = transfer->taken;
	transfer->taken = 0;
	transfer->work += WORK_A_CALL;
	if (!transfer->is_left_packed)
		stop_unpacking(transfer, look_at_packing(transfer));
	enum packing packing = packing_of(transfer);
	if (packing != PACKED_NOT && transfer->stopped_for == STOP_NONE)
		taken += take_packed(transfer, packing, bytes + taken, length - taken);
	bool is_as_it_is = packing == PACKED_NOT || transfer->is_left_packed;
	if (is_as_it_is && taken < length && transfer->stopped_for == STOP_NONE &&
	    take_body(transfer, bytes + taken, length - taken))
		taken = length;
	if (transfer->stopped_for != STOP_NONE)
		return 0;
	if (!is_enough(transfer)) {
		transfer->handed_bytes += (int64_t)length;
		transfer_http2_end_early(transfer);
		return length;
	}
	transfer->work = 0;
	transfer->taken = taken;
	poller_put_off(transfer->poller, transfer->easy);
	return CURL_WRITEFUNC_PAUSE;
}

void transfer_note_end(struct transfer *transfer, CURLcode code)
{
	bool is_part = transfer_status(transfer) ==
		       HTTP_PARTIAL_CONTENT; /* as the site's Range wants it */
	if (code == CURLE_OK && transfer->stopped_for == STOP_NONE && transfer->unpack != NULL &&
	    !is_part && !is_passed_by(transfer) && unpack_is_cut_off(transfer->unpack))
		transfer->stopped_for = STOP_CUT_OFF;
	if (transfer->stopped_for == STOP_NONE)
		transfer->stopped_for = transfer_http2_judge(transfer, code);
}

"""HTTP/1.1 bodies: lengths, chunks, trailers, encodings, what is slow or ends within them."""

import zlib

from hostile import packed
from hostile.behaviour import answer, close, down, drip, flood, hang, reset, up

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NO_LENGTH = OK + b"\r\n"
SHORT_MS = 700
OWN_GZIP = {"headers": {"Accept-Encoding": "gzip"}}
BROTLI, ZSTD = {"compression": "br"}, {"compression": "zstd"}  # they keep what they unpack: only by name
LATE = {"timeout_ms": SHORT_MS}
MORE = ("too_large", "16 MiB")
LENGTH = ("protocol_error", "Content-Length")
CHUNK = ("protocol_error", "chunk")
CUT = ("connection_lost", "cut off")
BROKEN = ("protocol_error", "unpack")
WINDOW = ("too_large", "window")
NOTHING = ("too_large", "unpack")
PIECES = ("too_large", "pieces")
TABLES = packed.deflate_tables()
RUNS = packed.zstd_runs(1024)
HALF = ("protocol_error", "cut off")


def said(length, body=b"hello"):
    return OK, b"Content-Length: " + length + b"\r\n\r\n", body


def encoded(name, body, then=close):
    return answer(OK, b"Content-Encoding: " + name + b"\r\n\r\n", body, then=then)


async def slow_then_all(peer):
    """By the byte, but done in time."""
    await peer.request()
    for byte in OK + b"Content-Length: 20\r\n\r\n" + b"b" * 20:
        await peer.say(bytes([byte]))
        await peer.pause(0.002)


ROWS = [
    # Without end.
    down("body_without_end", "a body without end", answer(NO_LENGTH, then=flood(b"b" * 4096)), *MORE),
    down(
        "body_of_9_gb",
        "nine gigabytes, announced and begun",
        answer(*said(b"9000000000"), then=flood(b"b" * 4096)),
        *MORE,
    ),
    down("body_of_16_mib_and_one", "one byte more than is read", answer(*said(b"16777217", b"b" * 16777217)), *MORE),
    up("body_of_16_mib", "as much as is read", answer(*said(b"16777216", b"b" * 16777216))),
    down(
        "body_of_http_1_0_without_end",
        "an old server that never ends",
        answer(b"HTTP/1.0 200 OK\r\n\r\n", then=flood(b"b" * 4096)),
        *MORE,
    ),
    down(
        "chunks_without_end",
        "chunks without end",
        answer(CHUNKED, then=flood(b"1000\r\n" + b"c" * 4096 + b"\r\n")),
        *MORE,
    ),
    down(
        "chunks_of_a_byte",
        "chunks of one byte without end",
        answer(CHUNKED, then=flood(b"1\r\nc\r\n")),
        "too_large",
        "framing",
    ),
    down(
        "chunk_extension_without_end",
        "a chunk's extension without end",
        answer(CHUNKED, b"5;", then=flood(b"e" * 4096)),
        "too_large",
        "framing",
    ),
    down(
        "chunk_extensions_without_end",
        "small chunks with large extensions",
        answer(CHUNKED, then=flood(b"1;" + b"e" * 2000 + b"\r\nc\r\n")),
        "too_large",
        "framing",
    ),
    down("chunk_size_without_end", "noughts before a chunk's size", answer(CHUNKED, then=flood(b"0" * 4096)), *CHUNK),
    down(
        "trailers_without_end",
        "trailers without end",
        answer(CHUNKED, b"5\r\nhello\r\n0\r\n", then=flood(b"X-Trail: " + b"t" * 900 + b"\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "trailer_without_end",
        "one trailer without end",
        answer(CHUNKED, b"5\r\nhello\r\n0\r\nX-Trail: ", then=flood(b"t" * 4096)),
        "too_large",
        "trailer",
    ),
    up(
        "head_with_a_body_without_end",
        "a body without end for HEAD",
        answer(OK, b"Content-Length: 5\r\n\r\n", then=flood(b"b" * 4096)),
        site={"method": "HEAD"},
    ),
    # Lengths.
    down("length_negative", "a negative length", answer(*said(b"-5")), *LENGTH),
    down("length_plus", "a length with a sign", answer(*said(b"+5")), *LENGTH),
    down("length_word", "a word for a length", answer(*said(b"five")), *LENGTH),
    down("length_hex", "a length in hexadecimal", answer(*said(b"0x5")), *LENGTH),
    down("length_float", "a length with a point", answer(*said(b"5.0")), *LENGTH),
    down("length_empty", "no length in the header", answer(*said(b"")), *LENGTH),
    down("length_with_a_space", "a space within the length", answer(*said(b"5 5")), *LENGTH),
    down("length_overflows", "a length beyond 64 bits", answer(*said(b"99999999999999999999")), *LENGTH),
    down("length_of_2_64_and_5", "a length that would wrap to five", answer(*said(b"18446744073709551621")), *LENGTH),
    down("length_list_differs", "two lengths in one header", answer(*said(b"5, 6")), *LENGTH),
    down(
        "length_twice_differs", "two headers with different lengths", answer(*said(b"5\r\nContent-Length: 6")), *LENGTH
    ),
    up("length_twice_same", "the same length twice", answer(*said(b"5\r\nContent-Length: 5"))),
    up("length_with_noughts", "a length with noughts before it", answer(*said(b"0000000000000000000000005"))),
    up("length_too_small", "more than was announced", answer(*said(b"5", b"hello and more"))),
    down("length_too_large_close", "less than was announced, and the end", answer(*said(b"100")), *CUT),
    down(
        "length_too_large_reset",
        "less than was announced, and a reset",
        answer(*said(b"100"), then=reset),
        "connection_lost",
        "reset",
    ),
    down(
        "length_too_large_hang",
        "less than was announced, and silence",
        answer(*said(b"100"), then=hang),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "length_of_2_63",
        "the largest length, and silence",
        answer(*said(b"9223372036854775807"), then=hang),
        "timeout",
        "not complete",
        **LATE,
    ),
    up(
        "length_and_chunks",
        "a length that chunks contradict",
        answer(OK, b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ),
    up(
        "status_204_with_a_length",
        "no content, and a length",
        answer(b"HTTP/1.1 204 No Content\r\nContent-Length: 500\r\n\r\n", then=hang),
        timeout_ms=SHORT_MS,
    ),
    down(
        "status_304_with_a_length",
        "not modified, with a length",
        answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", then=hang),
        "status_mismatch",
        "304",
    ),
    # Transfer encodings.
    down(
        "transfer_unknown",
        "an encoding that nobody knows",
        answer(OK, b"Transfer-Encoding: rot13\r\n\r\nuryyb"),
        "protocol_error",
        "encoding",
    ),
    up(
        "transfer_chunked_twice",
        "chunks within chunks",
        answer(OK, b"Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ),
    down(
        "transfer_gzip_bomb",
        "a bomb as transfer encoding",
        answer(OK, b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        *BROKEN,
    ),
    # Chunks.
    down("chunk_size_word", "a word for a size", answer(CHUNKED, b"xyz\r\nhello\r\n"), *CHUNK),
    down("chunk_size_negative", "a negative size", answer(CHUNKED, b"-5\r\nhello\r\n"), *CHUNK),
    down(
        "chunk_size_overflows", "a size beyond 64 bits", answer(CHUNKED, b"ffffffffffffffffffff\r\nhello\r\n"), *CHUNK
    ),
    down(
        "chunk_size_2_63",
        "a size that would be negative",
        answer(CHUNKED, b"8000000000000000\r\nhello\r\n"),
        "protocol_error",
        "127.0.0.1",
    ),
    down(
        "chunk_size_0x", "a size with 0x", answer(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"), "protocol_error", "127.0.0.1"
    ),
    down("chunk_size_missing", "no size", answer(CHUNKED, b"\r\nhello\r\n0\r\n\r\n"), *CHUNK),
    down("chunk_size_nul", "a NUL for a size", answer(CHUNKED, b"\x00\r\nhello\r\n"), *CHUNK),
    down("chunk_without_line_end", "no line's end behind a chunk", answer(CHUNKED, b"5\r\nhelloX0\r\n\r\n"), *CHUNK),
    down(
        "chunk_longer_than_said", "a chunk that goes on", answer(CHUNKED, b"5\r\nhello and more\r\n0\r\n\r\n"), *CHUNK
    ),
    up("chunk_lf_only", "line feeds alone", answer(CHUNKED, b"5\nhello\r\n0\n\n")),
    up("chunk_extension", "a chunk's extension", answer(CHUNKED, b'5;a="b";c\r\nhello\r\n0\r\n\r\n')),
    up("chunk_sizes_padded", "sizes with noughts", answer(CHUNKED, b"00000005\r\nhello\r\n0000\r\n\r\n")),
    up(
        "trailers_that_lie",
        "trailers that contradict the head",
        answer(CHUNKED, b"5\r\nhello\r\n0\r\nX-Status: 500\r\nContent-Length: 3\r\n\r\n"),
    ),
    up("chunks_many", "twenty thousand chunks", answer(CHUNKED, b"10\r\n0123456789abcdef\r\n" * 20_000, b"0\r\n\r\n")),
    down("chunk_close_in_size", "closes in a size", answer(CHUNKED, b"5"), *CUT),
    down("chunk_close_in_data", "closes in a chunk", answer(CHUNKED, b"5\r\nhel"), *CUT),
    down("chunk_close_after_data", "closes after a chunk", answer(CHUNKED, b"5\r\nhello\r\n"), *CUT),
    down("chunk_close_before_end", "closes before the last line", answer(CHUNKED, b"5\r\nhello\r\n0\r\n"), *CUT),
    down(
        "chunk_close_in_trailers", "closes in the trailers", answer(CHUNKED, b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n"), *CUT
    ),
    down("chunk_reset", "resets in a chunk", answer(CHUNKED, b"5\r\nhel", then=reset), "connection_lost", "reset"),
    down("chunk_hang_in_size", "stops in a size", answer(CHUNKED, b"5", then=hang), "timeout", "not complete", **LATE),
    down(
        "chunk_hang_in_data",
        "stops in a chunk",
        answer(CHUNKED, b"5\r\nhel", then=hang),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "chunk_hang_before_end",
        "stops before the last chunk",
        answer(CHUNKED, b"5\r\nhello\r\n", then=hang),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "chunk_hang_in_trailers",
        "stops in the trailers",
        answer(CHUNKED, b"5\r\nhello\r\n0\r\nX", then=hang),
        "timeout",
        "not complete",
        **LATE,
    ),
    # Slow, by the byte.
    down(
        "slow_body",
        "a body by the byte",
        answer(*said(b"100000", b""), then=drip(b"b")),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "quick_crumbs",
        "a body by the byte, as quickly as they can be sent",
        answer(*said(b"100000000", b""), then=drip(b"b", 0)),
        "too_large or timeout",
        "the response",
        **LATE,
    ),
    down(
        "slow_chunks",
        "chunks of a byte, slowly",
        answer(CHUNKED, then=drip(b"1\r\nc\r\n")),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "slow_chunk_size",
        "a size by the byte",
        answer(CHUNKED, then=drip(b"0", 0.1)),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "slow_chunk_extension",
        "an extension by the byte",
        answer(CHUNKED, b"5;", then=drip(b"e")),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "slow_trailers",
        "trailers by the byte",
        answer(CHUNKED, b"5\r\nhello\r\n0\r\nX: ", then=drip(b"t")),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "slow_until_end",
        "a body that only the end would end, by the byte",
        answer(NO_LENGTH, then=drip(b"b")),
        "timeout",
        "not complete",
        **LATE,
    ),
    down(
        "slow_gzip",
        "a packed body by the byte",
        encoded(b"gzip", packed.GZIP_HEAD, drip(packed.EMPTY_BLOCK)),
        "timeout",
        "not complete",
        **LATE,
    ),
    up("slow_and_sound", "all of an answer by the byte, in time", slow_then_all),
    # Ends of bodies without a length.
    up("end_is_the_end", "a body that the end ends", answer(NO_LENGTH, b"hello")),
    up("end_at_once", "no body at all", answer(NO_LENGTH)),
    down(
        "end_by_reset", "a body that a reset ends", answer(NO_LENGTH, b"hello", then=reset), "connection_lost", "reset"
    ),
    # Encodings: packed more tightly than anybody needs.
    down("gzip_bomb", "64 MiB of zeroes in 64 KiB", encoded(b"gzip", packed.gzip_zeroes(64), hang), *MORE),
    down("deflate_bomb", "the same as deflate", encoded(b"deflate", packed.zlib_zeroes(64), hang), *MORE),
    down(
        "deflate_raw_bomb",
        "the same without zlib's head",
        encoded(b"deflate", packed.deflated(bytes(1 << 20), 64), hang),
        *MORE,
    ),
    down("x_gzip_bomb", "the same by its old name", encoded(b"x-gzip", packed.gzip_zeroes(64), hang), *MORE),
    down(
        "brotli_bomb",
        "32 MiB of zeroes in 26 bytes",
        encoded(b"br", packed.brotli_zeroes(), hang),
        "protocol_error",
        "not asked for",
    ),
    down(
        "brotli_bomb_for_own_header",
        "the same for a site that asks for gzip with a header of its own",
        encoded(b"br", packed.brotli_zeroes(), hang),
        "protocol_error",
        "not asked for",
        site=OWN_GZIP,
    ),
    down(
        "brotli_bomb_wanted",
        "the same, asked for",
        encoded(b"br", packed.brotli_zeroes(), hang),
        *WINDOW,
        site=BROTLI,
    ),
    down(
        "brotli_bomb_by_header",
        "the same, asked for by a header",
        encoded(b"br", packed.brotli_zeroes(), hang),
        *WINDOW,
        site={"headers": {"Accept-Encoding": "br"}},
    ),
    up("brotli_page", "a page as br", encoded(b"br", packed.brotli_of(b"hello " * 1000)), site=BROTLI),
    up("br_of_no_content", "no content, packed as br", answer(b"HTTP/1.1 204 None\r\nContent-Encoding: br\r\n\r\n")),
    up("br_for_head", "br for HEAD", encoded(b"br\r\nContent-Length: 99", b""), site={"method": "HEAD"}),
    up("zstd_page", "a page as zstd", encoded(b"zstd", packed.zstd_of(b"hello " * 1000)), site=ZSTD),
    up("zstd_frames", "a page in two frames", encoded(b"zstd", packed.zstd_of(b"hello ") * 2), site=ZSTD),
    down("zstd_bomb_wanted", "64 MiB of zeroes", encoded(b"zstd", packed.zstd_zeroes(64, 17), hang), *MORE, site=ZSTD),
    down(
        "zstd_bomb",
        "64 MiB of zeroes in 2 KiB",
        encoded(b"zstd", packed.zstd_zeroes(64, 17), hang),
        "protocol_error",
        "not asked for",
    ),
    down(
        "zstd_bomb_large_window",
        "the same, and a window of 128 MiB",
        encoded(b"zstd", packed.zstd_zeroes(64, 27), hang),
        *WINDOW,
        site=ZSTD,
    ),
    down(
        "zstd_bomb_8_mib",
        "the same with the largest window that there may be",
        encoded(b"zstd", packed.zstd_zeroes(64, 23), hang),
        *WINDOW,
        site=ZSTD,
    ),
    down(
        "zstd_window_2_41",
        "a window of two terabytes",
        encoded(b"zstd", packed.zstd_zeroes(1, 41), hang),
        *WINDOW,
        site=ZSTD,
    ),
    down(
        "gzip_bomb_without_end",
        "zeroes without end",
        encoded(b"gzip", packed.GZIP_HEAD, flood(packed.deflated(bytes(1 << 20), 8))),
        *MORE,
    ),
    down(
        "gzip_nested_bomb",
        "a bomb in a bomb",
        encoded(b"gzip, gzip", packed.gzip_twice_zeroes(1024), hang),
        "protocol_error",
        "more than once",
    ),
    down(
        "gzip_nested_nothing",
        "a gigabyte that unpacks to nothing",
        encoded(b"gzip, gzip", packed.gzip_twice_nothing(1024), hang),
        "protocol_error",
        "more than once",
    ),
    down(
        "gzip_nested_by_lines",
        "encodings in a header each",
        encoded(b"gzip\r\nContent-Encoding: br", packed.gzip_zeroes(64), hang),
        "protocol_error",
        "more than once",
    ),
    down(
        "encodings_a_thousand",
        "a thousand encodings",
        encoded(b", ".join([b"gzip"] * 1000), b"x", hang),
        "protocol_error",
        "more than once",
    ),
    # Encodings: nothing, at length.
    down(
        "gzip_of_nothing",
        "blocks of no bytes without end",
        encoded(b"gzip", packed.GZIP_HEAD, flood(packed.EMPTY_BLOCK)),
        "too_large",
        "unpack",
    ),
    down(
        "gzip_name_without_end",
        "a file name without end in the head",
        encoded(b"gzip", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03", flood(b"n" * 4096)),
        "too_large",
        "unpack",
    ),
    down(
        "zstd_of_nothing",
        "blocks of no bytes without end",
        encoded(b"zstd", packed.zstd_nothing(), flood(b"\0\0\0")),
        "too_large",
        "unpack",
        site=ZSTD,
    ),
    down(
        "zstd_skipped",
        "frames to be skipped, without end",
        encoded(b"zstd", b"", flood(packed.zstd_skipped(4096))),
        "too_large",
        "unpack",
        site=ZSTD,
    ),
    down("br_of_nothing", "pieces of no bytes", encoded(b"br", b"\x0c", flood(b"\x06")), *NOTHING, site=BROTLI),
    down(
        "br_skipped",
        "pieces to be skipped without end",
        encoded(b"br", b"\x0c", flood(b"\xd6\x3f" + bytes(256))),
        *NOTHING,
        site=BROTLI,
    ),
    down(
        "br_behind_end",
        "more without end, behind all of a page",
        encoded(b"br", packed.brotli_of(b"hello"), flood(b"x")),
        *NOTHING,
        site=BROTLI,
    ),
    # Encodings: tables, which cost far more than what they are for.
    down("gzip_tables", "a table for 30 letters", encoded(b"gzip", packed.GZIP_HEAD, flood(TABLES)), *PIECES),
    down("deflate_tables", "the same as deflate", encoded(b"deflate", b"", flood(TABLES)), *PIECES),
    down(
        "deflate_full_tables",
        "tables for all letters and distances",
        encoded(b"deflate", b"", flood(packed.deflate_full_tables())),
        *PIECES,
    ),
    down("zstd_pieces", "runs of a kilobyte", encoded(b"zstd", RUNS[0], flood(RUNS[1])), *PIECES, site=ZSTD),
    # Encodings: broken.
    down(
        "encoding_unknown", "an encoding that nobody knows", encoded(b"rot13", b"uryyb"), "protocol_error", "encoding"
    ),
    down("gzip_garbage", "what is no gzip", encoded(b"gzip", b"not gzip!!"), *BROKEN),
    down("gzip_wrong_sum", "a wrong check sum", encoded(b"gzip", packed.page()[:-8] + b"\0" * 8), *BROKEN),
    down(
        "gzip_flipped", "one bit flipped", encoded(b"gzip", packed.page()[:12] + b"\xff" + packed.page()[13:]), *BROKEN
    ),
    down("deflate_garbage", "what is no deflate", encoded(b"deflate", b"\xff\xff\xff\xff\xff"), *BROKEN),
    down("br_garbage", "what is no brotli", encoded(b"br", b"\xff" * 50), *BROKEN, site=BROTLI),
    down("zstd_garbage", "what is no zstd", encoded(b"zstd", b"\xff" * 50), *BROKEN, site=ZSTD),
    # Cut off, though the response as such ends well.
    down("br_cut", "br that ends in the middle", encoded(b"br", packed.brotli_of(b"hello")[:-1]), *HALF, site=BROTLI),
    down("br_cut_in_head", "br that ends in its head", encoded(b"br", b"\x0c"), *HALF, site=BROTLI),
    down("zstd_cut", "zstd that ends in the middle", encoded(b"zstd", packed.zstd_of(b"hello")[:-1]), *HALF, site=ZSTD),
    down("zstd_cut_in_head", "zstd that ends in its head", encoded(b"zstd", packed.ZSTD_MAGIC), *HALF, site=ZSTD),
    down("gzip_cut_by_close", "packed, and ends in the middle", encoded(b"gzip", packed.page()[:20]), *HALF),
    down("gzip_cut_in_head", "packed, and ends in its head", encoded(b"gzip", packed.page()[:1]), *HALF),
    down("gzip_cut_in_sum", "packed, and ends in its check sum", encoded(b"gzip", packed.page()[:-1]), *HALF),
    down(
        "gzip_cut_by_length",
        "packed, and the length is that of the first part",
        answer(OK, b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n", packed.page()[:20]),
        *HALF,
    ),
    down(
        "gzip_cut_by_chunks",
        "packed, and the last chunk comes too soon",
        answer(
            OK,
            b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n",
            packed.page()[:20],
            b"\r\n0\r\n\r\n",
        ),
        *HALF,
    ),
    down("deflate_cut_off", "the same as deflate", encoded(b"deflate", zlib.compress(b"x" * 4096)[:-2]), *HALF),
    down("deflate_raw_cut_off", "without a head", encoded(b"deflate", zlib.compress(b"x" * 4096)[2:-6]), *HALF),
    down(
        "gzip_cut_off_for_own_header",
        "the same for a site that asks with a header of its own",
        encoded(b"gzip", packed.page()[:20]),
        *HALF,
        site=OWN_GZIP,
    ),
    up("gzip_empty", "packed, and nothing came", encoded(b"gzip", b"")),
    up("gzip_members", "packed in two parts", encoded(b"gzip", packed.page(10) + packed.page(20))),
    up("gzip_and_noise", "noise behind what is packed", encoded(b"gzip", packed.page() + b"noise")),
    down(
        "gzip_members_of_nothing",
        "parts that hold nothing, without end",
        encoded(b"gzip", b"", flood(packed.page(0))),
        "too_large",
        "unpack",
    ),
    down("deflate_dictionary", "needs a dictionary", encoded(b"deflate", b"\x78\xbb\0\0\0\0xyz"), *BROKEN),
    up("gzip_sound", "a packed page", encoded(b"gzip", packed.page())),
    up("deflate_raw_sound", "deflate as some servers have it", encoded(b"deflate", zlib.compress(b"x" * 4096)[2:-4])),
    up("encoding_identity", "packed as nothing", encoded(b"identity", b"hello")),
    up("encoding_none", "the same, as PHP's pages say it", encoded(b"none", b"hello")),
    up("encoding_utf_8", "a character set where an encoding belongs", encoded(b"utf-8", b"hello")),
    # What bodies hold.
    up("body_zeroes", "zeroes", answer(*said(b"4096", b"\0" * 4096)), site={"pattern": "never"}),
    up(
        "body_no_utf_8",
        "bytes that are no UTF-8",
        answer(*said(b"4096", b"\xff\xfe" * 2048)),
        site={"pattern": "never"},
    ),
]

"""Packed bodies that are smaller than what they hold, or hold nothing at all: by hand where a library would not."""

import base64
import gzip
import struct
import zlib

MIB = 1024 * 1024
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
# A stored block of deflate without a byte in it: a decoder reads, and says nothing.
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def deflated(block, times):
    """A raw deflate stream that repeats block, without working for each of them; it does not end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed * times


def gzip_of(block, times):
    return GZIP_HEAD + deflated(block, times)


def gzip_zeroes(mib):
    return gzip_of(bytes(MIB), mib)


def zlib_zeroes(mib):
    return b"\x78\xda" + deflated(bytes(MIB), mib)


def gzip_twice_zeroes(mib):
    """A bomb whose shell is a bomb: some 30 bytes for each MiB."""
    return gzip_of(gzip_zeroes(mib), 1)


def gzip_twice_nothing(mib):
    """Unpacks to mib MiB, which unpack to nothing."""
    return gzip_of(GZIP_HEAD, 1) + deflated(EMPTY_BLOCK * (MIB // len(EMPTY_BLOCK)), mib)


def brotli_zeroes():
    """32 MiB, with the largest window there is (16 MiB)."""
    return base64.b64decode("z///fwAkAOKxQHLv//n//w+ABEAcFoDu/f8=")


def zstd_zeroes(mib, window_log):
    """Runs of 128 KiB, four bytes each."""
    run = struct.pack("<I", 128 * 1024 << 3 | 1 << 1)[:3] + b"\0"
    return ZSTD_MAGIC + b"\0" + bytes([window_log - 10 << 3]) + run * (8 * mib)


def zstd_nothing():
    """The head of a frame; blocks of no bytes may follow."""
    return ZSTD_MAGIC + b"\0" + bytes([7 << 3])


def zstd_skipped(size):
    """A frame that is to be skipped."""
    return struct.pack("<II", 0x184D2A50, size) + bytes(size)


def brotli_of(page):
    """A window of 64 KiB, the page as it stands (up to that size), and the end."""
    head = (len(page) - 1) << 4 | 1 << 20  # the window, not the last, four nibbles of length, and not packed
    return head.to_bytes(3, "little") + page + b"\x03"


def zstd_of(page, window_log=17):
    """A frame of one block that holds the page as it stands."""
    return ZSTD_MAGIC + b"\0" + bytes([window_log - 10 << 3]) + (len(page) << 3 | 1).to_bytes(3, "little") + page


def zstd_runs(size):
    """The head of a frame, and runs of so many bytes each; more may follow."""
    return ZSTD_MAGIC + b"\0" + bytes([7 << 3]), (size << 3 | 1 << 1).to_bytes(3, "little") + b"z"


def _code(value, size):
    """A Huffman code, which stands in deflate with its first bit first."""
    return int(f"{value:0{size}b}"[::-1], 2), size


def _codes(lengths):
    """{symbol: its code} as RFC 1951 gives them out."""
    codes, code = {}, 0
    for size in range(1, 16):
        for symbol in sorted(symbol for symbol, length in lengths.items() if length == size):
            codes[symbol] = _code(code, size)
            code += 1
        code <<= 1
    return codes


def deflate_tables(literals=30, count=8):
    """Blocks that bring tables of 15 bits for a few letters; 25 bytes each."""
    order = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
    of_lengths = dict.fromkeys(range(1, 16), 4) | {0: 5, 17: 6, 18: 6}
    lengths = {ord("x"): 1, 256: 2} | {symbol: symbol + 3 for symbol in range(12)} | {12: 15, 13: 15}
    bits = [(0, 1), (2, 2), (0, 5), (1, 5), (15, 4)] + [(of_lengths.get(symbol, 0), 3) for symbol in order]
    codes = _codes(of_lengths)
    bits += [codes[symbol + 3 if symbol < 12 else 15] for symbol in range(14)]
    bits += [codes[18], (106 - 11, 7), codes[1], codes[18], (135 - 11, 7), codes[2], codes[1], codes[1]]
    codes = _codes(lengths)
    bits += [codes[ord("x")]] * literals + [codes[256]]
    number, size = 0, 0
    for value, width in bits * count:  # eight of them end with a byte
        number |= value << size
        size += width
    return number.to_bytes(size // 8, "little")


def _complete(count):
    """Lengths of count codes, most of 15 bits, that leave no code over."""
    lengths, left = [], 1 << 15
    for symbol in range(count):
        others = count - symbol - 1
        bits = (left - others).bit_length() - 1
        lengths.append(15 - min(bits, 14))
        left -= 1 << min(bits, 14)
    return lengths


def deflate_full_tables():
    """Blocks with every code that there may be, for 259 letters; 170 bytes each."""
    literals, distances = _complete(286), _complete(30)
    mixed = [literals[symbol * 7 % 286] for symbol in range(286)]
    bits = [(0, 1), (2, 2), (286 - 257, 5), (30 - 1, 5), (15, 4)] + [(0, 3)] * 3 + [(4, 3)] * 16
    bits += [_code(length, 4) for length in mixed + distances]
    codes, distance = _codes(dict(enumerate(mixed))), _codes(dict(enumerate(distances)))[0]
    bits += [codes[ord("x")], codes[285], distance, codes[256]]
    number, size = 0, 0
    for value, width in bits * 8:  # eight of them end with a byte
        number |= value << size
        size += width
    return number.to_bytes(size // 8, "little")


def page(size=4096):
    return gzip.compress(b"x" * size, mtime=0)

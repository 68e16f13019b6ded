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


def page(size=4096):
    return gzip.compress(b"x" * size, mtime=0)

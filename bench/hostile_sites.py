#!/usr/bin/env python3
"""Sites that do their worst, for the bench: hostile_sites.py PORT. The behaviour is the path's first part."""
import asyncio
import gzip
import itertools
import socket
import struct
import sys

OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"\0" * (64 << 20))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


async def silent(_writer):
    await asyncio.sleep(3600)


async def drip(writer):
    """A byte each tenth of a second."""
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: "):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless(writer, head, piece):
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()


async def reset(writer):
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def bomb(writer):
    writer.write(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)
    await writer.drain()


async def short(writer):
    writer.write(OK + b"Content-Length: 100000\r\n\r\nno more than this")


async def loop(writer):
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /loop/\r\nContent-Length: 0\r\n\r\n")


BEHAVIOURS = {
    "silent": silent,
    "drip": drip,
    "headers": lambda writer: endless(writer, OK, b"X-More: and more\r\n" * 100),
    "line": lambda writer: endless(writer, OK + b"X-Line: ", b"a" * 4096),
    "body": lambda writer: endless(writer, OK + b"\r\n", b"b" * 65536),
    "chunks": lambda writer: endless(writer, CHUNKED, b"1\r\nc\r\n" * 1000),
    "interim": lambda writer: endless(writer, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "reset": reset,
    "bomb": bomb,
    "short": short,
    "loop": loop,
}


async def answer(reader, writer):
    try:
        request = await reader.readline()
        name = request.split()[1].decode().split("/")[1]
        await BEHAVIOURS[name](writer)
    except (OSError, IndexError, KeyError, ValueError):
        pass  # the client has gone
    finally:
        writer.close()


async def serve(port):
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

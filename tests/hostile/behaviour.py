"""What a row of the tables says, and the hand that a script plays with.

A row is one hostile server: its name, what it does, and what a check of it must come to. Its script is an async
function that is given a Peer for each connection; each row has a port of its own, so it may do what it likes from the
first packet on.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass, field

FLOOD_MAX = 512 * 1024 * 1024  # so much, and it is the test that is broken
HANG_S = 60


@dataclass(frozen=True)
class Behaviour:
    name: str
    does: str
    script: Callable
    outcome: str
    reason: str
    word: str | tuple = ""  # must stand in the message; of several, each
    kind: str = "http"  # what is asked: http or https
    context: str | None = None  # the name of a server's TLS context (contexts.py); None: the script has the bare socket
    host: str = "127.0.0.1"
    path: str = "/"
    proxy: str | None = None  # http or https: what the row plays is the proxy that a site elsewhere is asked through
    user: str = ""  # for it
    timeout_ms: int = 5000  # long, so that a busy machine decides nothing; short where the timeout is the point
    site: dict = field(default_factory=dict)  # keys of the sites file
    checks: int = 1  # one after the other, of which the last is judged
    is_reused: bool | None = None  # whether that came over the connection of the one before; None: as it likes
    is_narrow: bool = False  # so little is taken at a time that an upload waits for the script to read it
    names: dict = field(default_factory=dict)  # {host: what its name server does}, see names.py
    cpu_ms: int = 50  # at most, more than an ordinary page
    memory_kib: int = 2048  # the same


class Gone(Exception):
    """The other side has closed: a script ends."""


class Peer:
    """One connection."""

    def __init__(self, reader, writer, server, row):
        self.reader = reader
        self.writer = writer
        self.server = server
        self.row = row  # its name

    def port(self, name):
        """The port of this row ("self"), or of another."""
        return self.server.port(self.row if name == "self" else name)

    async def request(self):
        """Read the request's head; its bytes."""
        try:
            return await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as end:
            raise Gone from end

    async def say(self, *pieces):
        if self.writer.transport.is_closing():
            raise Gone
        try:
            for piece in pieces:
                self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)  # drain() alone may never let anybody else work
        except OSError as end:
            raise Gone from end

    async def flood(self, block):
        """Repeat block until nobody wants any more of it."""
        block = block * max(1, 65536 // len(block))
        left = asyncio.ensure_future(self.hang())
        for _ in range(FLOOD_MAX // len(block)):
            if left.done():
                break
            await self.say(block)

    async def drip(self, piece, pause_s=0.02):
        """Repeat piece, slowly, as long as somebody listens."""
        left = asyncio.ensure_future(self.hang())
        while not left.done():
            await self.say(piece)
            await asyncio.sleep(pause_s)

    async def drip_through(self, data, pause_s=0.02):
        """data by the byte, and then nothing more."""
        for at in range(len(data)):
            await self.say(data[at : at + 1])
            await asyncio.sleep(pause_s)
        await self.hang()

    async def pause(self, seconds):
        await asyncio.sleep(seconds)

    async def hang(self):
        """Neither say nor end anything until the other side has gone."""
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            while await asyncio.wait_for(self.reader.read(65536), HANG_S):
                pass

    async def reset(self):
        """An RST instead of a FIN, once what was said before has arrived."""
        await asyncio.sleep(0.05)
        bare = self.writer.get_extra_info("socket")
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def cut(self, *, has_ended=False):
        """The same at once: what was said before lies unread over there. It may be told before that this was all."""
        bare = self.writer.get_extra_info("socket")
        while struct.unpack("i", fcntl.ioctl(bare.fileno(), termios.TIOCOUTQ, bytes(4)))[0]:
            await asyncio.sleep(0)
        if has_ended:
            bare.shutdown(socket.SHUT_WR)
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def read_no_more(self):
        self.writer.transport.pause_reading()


# --- scripts that many rows are made of


async def close(peer):
    """The end, by FIN."""


async def reset(peer):
    await peer.reset()


async def cut(peer):
    await peer.cut()


async def end_and_cut(peer):
    await peer.cut(has_ended=True)


async def hang(peer):
    await peer.hang()


def answer(*pieces, then=close):
    """Read the request, give these bytes, and then."""

    async def script(peer):
        await peer.request()
        await peer.say(*pieces)
        await then(peer)

    return script


def flood(block):
    async def script(peer):
        await peer.flood(block)

    return script


def drip(piece, pause_s=0.02):
    async def script(peer):
        await peer.drip(piece, pause_s)

    return script


def up(name, does, script, **more):
    return Behaviour(name, does, script, "up", "ok", **more)


def down(name, does, script, reason, word, **more):
    return Behaviour(name, does, script, "down", reason, word, **more)


def unknown(name, does, script, reason, word, **more):
    return Behaviour(name, does, script, "unknown", reason, word, **more)

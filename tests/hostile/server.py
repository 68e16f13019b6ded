"""The hostile server: a port for each row of the tables, all in one process.

By hand, from the folder tests/:  ../build/venv/bin/python -m hostile.server FOLDER [NAME...]
It prints {"urls": {name: url}, "dns": address} as JSON on one line, and serves until its input ends.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import ssl
import sys

from support.processes import closed_port

from hostile.behaviour import Gone, Peer
from hostile.names import NameServer
from hostile.tables import BEHAVIOURS
from hostile.trust import Trust

NARROW_SEGMENT, NARROW_BUFFER = 536, 4096  # the other side's kernel then holds 100 KB for us, and not 4 MB
WIDE_BUFFER = 1024 * 1024


class Server:
    def __init__(self, rows, folder):
        self.rows = rows
        self.trust = Trust(folder)
        self.names = NameServer(rows.values())
        self._ports = {}
        self._running = set()
        self._closed = closed_port()

    def port(self, name):
        return self._closed.getsockname()[1] if name == "closed" else self._ports[name]

    def url(self, name):
        row = self.rows[name]
        path = row.path(self) if callable(row.path) else row.path
        host = "site.test" if row.proxy else row.host  # whose port is the proxy's, too
        return f"{row.kind}://{host}:{self.port(name)}{path}"

    async def start(self):
        await self.names.start()
        for row in self.rows.values():
            context = self.trust.context(row.context) if row.context else None
            made = await asyncio.start_server(
                self._serve(row),
                "127.0.0.1",
                0,
                ssl=context,
                limit=1024 * 1024,
                **({"ssl_handshake_timeout": 60} if context else {}),
            )
            if row.is_narrow:
                made.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, NARROW_SEGMENT)
                made.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BUFFER)
                made.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WIDE_BUFFER)
            self._ports[row.name] = made.sockets[0].getsockname()[1]

    def _serve(self, row):
        async def serve(reader, writer):
            task = asyncio.current_task()
            self._running.add(task)
            try:
                await row.script(Peer(reader, writer, self, row.name))
            except (
                Gone,
                OSError,
                ssl.SSLError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
                asyncio.CancelledError,
            ):
                pass  # the prober has ended it
            finally:
                self._running.discard(task)
                with contextlib.suppress(OSError, RuntimeError):
                    writer.close()

        return serve


async def serve(folder, names):
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # what a prober that breaks off does to a transport
    rows = {name: row for name, row in BEHAVIOURS.items() if not names or name in names}
    server = Server(rows, folder)
    await server.start()
    urls = {name: server.url(name) for name in rows}
    print(json.dumps({"urls": urls, "dns": f"127.0.0.1:{server.names.port}"}), flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), lambda: os.read(0, 4096) or ended.set())
    await ended.wait()
    os._exit(0)  # no script is asked whether it has done


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], set(sys.argv[2:])))

"""The network between all parties: a TCP proxy in a process of its own, whose links can be cut, muted and slowed.

Commands are JSON objects on standard input, one a line; each is answered by one on standard output.

    {"link": "postgres-1", "target": 5432}                      listen for a new link, or give one a new target
    {"link": "postgres-1", "mode": "slow", "latency_ms": 80}    change how it behaves

Modes. A link that leaves any of them but `slow` loses its connections, as a cable that was pulled out does in the end.

    open        bytes pass
    cut         all connections are reset, new ones too
    silent      half-open: the far side is gone, the near side is not told; new connections get no answer
    deaf        what is asked arrives, answers are thrown away: a COMMIT that nobody hears of
    mute        what is asked is thrown away, answers arrive: a COMMIT that never was
    commitless  bytes pass, but a connection that asks for a COMMIT is reset before that arrives
    slow        each piece comes late (latency_ms), and only so many bytes a second pass (rate)
"""
import asyncio
import json
import sys

PIECE = 64 * 1024
# As it stands in PostgreSQL's protocol, small enough to come in one piece.
COMMIT = b"COMMIT\0"


class Link:
    def __init__(self, name):
        self.name = name
        self.target = None
        self.port = None
        self.mode = "open"
        self.latency_s = 0.0
        self.rate = 0
        self.writers = set()
        self.has_changed = asyncio.Event()

    async def listen(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=PIECE)
        self.port = server.sockets[0].getsockname()[1]

    def change(self, mode, latency_ms=0, rate=0):
        before, self.mode = self.mode, mode
        self.latency_s, self.rate = latency_ms / 1000, rate
        if mode == "cut" or (mode != before and before in ("silent", "deaf", "mute")):
            for writer in list(self.writers):
                writer.transport.abort()
        self.has_changed.set()
        self.has_changed = asyncio.Event()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        far = None
        try:
            if self.mode == "silent":
                await self.wait_out("silent")
                return
            if self.mode == "cut":
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target, limit=PIECE)
            self.writers.add(far)
            pumps = [asyncio.create_task(self.pump(reader, far, is_answer=False)),
                     asyncio.create_task(self.pump(far_reader, writer, is_answer=True))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the far side is down: the near one sees its connection end
        finally:
            for one in (writer, far):
                if one is not None:
                    self.writers.discard(one)
                    one.transport.abort()

    async def wait_out(self, mode):
        while self.mode == mode:
            await self.has_changed.wait()

    async def pump(self, reader, writer, *, is_answer):
        while True:
            piece = await reader.read(PIECE)
            if self.mode == "silent":
                await self.wait_out("silent")
                return
            if not piece:
                await writer.drain()
                if writer.transport.get_write_buffer_size() == 0:
                    return
                await asyncio.sleep(0.05)
                return
            if self.mode == ("deaf" if is_answer else "mute"):
                continue
            if self.mode == "commitless" and not is_answer and COMMIT in piece:
                return
            if self.mode == "slow":
                await asyncio.sleep(self.latency_s + (len(piece) / self.rate if self.rate else 0))
            writer.write(piece)
            await writer.drain()


async def main():
    loop = asyncio.get_running_loop()
    links = {}
    commands = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    loop.set_exception_handler(lambda _loop, _context: None)  # resets are our trade
    while line := await commands.readline():
        command = json.loads(line)
        link = links.get(command["link"])
        if link is None:
            link = links[command["link"]] = Link(command["link"])
            await link.listen()
        if "target" in command:
            link.target = command["target"]
        if "mode" in command:
            link.change(command["mode"], command.get("latency_ms", 0), command.get("rate", 0))
        print(json.dumps({"link": link.name, "port": link.port}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

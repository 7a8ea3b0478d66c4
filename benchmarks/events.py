"""Live updates: memory of an open stream, and the time from a commit's end to the client, beside a bare asyncio server.

The client opens all streams; events go to one account after another. Tokens are checked by a stand-in for the web
server, since this measures the process of the streams.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import psutil

from backend.core.events import protocol
from backend.core.events.protocol import Event, Message
from backend.core.events.publisher import Publisher
from backend.launch.private_files import free_port
from backend.settings import Settings
from benchmarks import servers
from benchmarks.figures import Figure

STREAMS: Final = int(os.environ.get("BENCH_STREAMS", "5000"))
EVENTS: Final = 2_000
EVENTS_A_SECOND: Final = 200
OPENED_AT_ONCE: Final = 50
ARRIVAL_SECONDS: Final = 60
BASELINE: Final = """
import asyncio, sys
import orjson
from redis.asyncio import Redis

port, url, channel = int(sys.argv[1]), sys.argv[2], sys.argv[3]
writers = {}

async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    account = int(head.split(b"Bearer ")[1].split(b"\\r\\n")[0])
    writers[account] = writer
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\nid: 0\\n\\n")
    await reader.read()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)
    async with Redis.from_url(url) as valkey, valkey.pubsub() as subscription:
        await subscription.subscribe(channel)
        async for found in subscription.listen():
            if found["type"] == "message":
                for topic, accounts, _, object_id, version in orjson.loads(found["data"])["events"]:
                    text = b"data: %b\\n\\n" % orjson.dumps({"topic": topic, "id": object_id, "version": version})
                    for account in accounts:
                        if account in writers:
                            writers[account].write(text)

asyncio.run(main())
"""


class _Access(BaseHTTPRequestHandler):
    """Stands in for the web server: the token is the account's id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        account = int(self.headers["Authorization"].removeprefix("Bearer "))
        expires_at = int(time.time()) + 3_600
        found = {"account_id": account, "role": "customer", "session_id": str(account), "expires_at": expires_at}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def _access_server() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Access)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


class _Client:
    """Open streams, and how long each event took to arrive."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._arrived = asyncio.Event()
        self.sent_at: dict[int, float] = {}
        self.took: list[float] = []

    async def open(self) -> None:
        """Open STREAMS streams, some at a time."""
        slots = asyncio.Semaphore(OPENED_AT_ONCE)

        async def one(account: int) -> None:
            async with slots:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account}\r\n\r\n".encode())
                await reader.readuntil(b"id: ")
            self._writers.append(writer)  # one that nobody holds is closed
            self._tasks.append(asyncio.create_task(self._read(reader)))

        await asyncio.gather(*(one(account) for account in range(1, STREAMS + 1)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                self.took.append(time.perf_counter() - self.sent_at[json.loads(line[6:])["id"]])
                if len(self.took) == EVENTS:
                    self._arrived.set()

    async def send(self, publisher: Publisher) -> None:
        """Publish EVENTS events at a steady rate and wait until they have arrived."""
        for number in range(EVENTS):
            self.sent_at[number] = time.perf_counter()
            publisher(Message((Event("requests", (number % STREAMS + 1,), (), number, 1),)))
            await asyncio.sleep(1 / EVENTS_A_SECOND)
        await asyncio.wait_for(self._arrived.wait(), ARRIVAL_SECONDS)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()


def _pss(pid: int) -> int:
    return int(psutil.Process(pid).memory_full_info().pss)


def _run(command: list[str], environment: dict[str, str], port: int, settings: Settings) -> tuple[float, float, float]:
    """Return idle memory in MiB, memory of a stream in KiB, and the 99th percentile of arrival in seconds."""
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait_for(port)
        return asyncio.run(_measure(process.pid, port, settings))
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _measure(pid: int, port: int, settings: Settings) -> tuple[float, float, float]:
    idle, client = _pss(pid), _Client(port)
    await client.open()
    await asyncio.sleep(2)
    grown = _pss(pid) - idle
    await client.send(Publisher(settings))
    client.close()
    return idle / 2**20, grown / STREAMS / 2**10, statistics.quantiles(client.took, n=100)[98]


def _wait_for(port: int) -> None:
    limit = time.monotonic() + servers.START_SECONDS
    while time.monotonic() < limit:
        listening = [one for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == port]
        if listening:
            time.sleep(2)  # until it has subscribed
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def measure() -> Iterable[Figure]:
    """Measure both servers, one after the other."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with servers.valkey("events") as redis_url, _access_server() as web_port:
        port, bare = free_port(None), free_port(None)
        environment = {
            **servers.environment("postgresql://127.0.0.1:1/none", redis_url, servers.FOLDER / "events"),
            "EVENTS_PORT": str(port),
            "EVENTS_STREAMS": "20000",
            "WEB_URL": f"http://127.0.0.1:{web_port}",
        }
        settings = Settings.from_env(environment)
        ours = _run([sys.executable, "-m", "backend.events"], environment, port, settings)
        argv = [sys.executable, "-c", BASELINE, str(bare), redis_url, protocol.channel(settings)]
        baseline = _run(argv, {}, bare, settings)
    note = f"{STREAMS:,} open streams, {EVENTS_A_SECOND} events a second"
    works = (("idle process", "MiB", 2.0), ("an open stream", "KiB", 4.0), ("from commit to client, p99", "s", 3.0))
    for (work, unit, goal), figure, bare_figure in zip(works, ours, baseline, strict=True):
        ratio = figure / bare_figure
        yield Figure(f"live updates: {work}", figure, bare_figure, ratio, goal, unit=unit, at_most=True, note=note)

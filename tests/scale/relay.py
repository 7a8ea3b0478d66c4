"""Pass connections on between network namespaces: sockets in the file system are reached from all of them.

    python -m tests.scale.relay tcp:10.9.0.1:5432 unix:/tmp/database tcp:127.0.0.1:6379 unix:/tmp/valkey

Each pair is an address to listen on and one to connect to. While the file named by CUT_FLAG exists, the link CUT_LINK
is taken down as soon as a server answers COMMIT.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

PIECE: Final = 1 << 16
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(address: str) -> Streams:
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(rest)
    host, _, port = rest.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def listen(address: str, target: str) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await connect(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(forward(reader, far_writer, is_answer=False), forward(far_reader, writer, is_answer=True))

    kind, _, rest = address.partition(":")
    if kind == "unix":
        return await asyncio.start_unix_server(serve, rest)
    host, _, port = rest.rpartition(":")
    return await asyncio.start_server(serve, host, int(port))


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            if is_answer and b"COMMIT\0" in piece:
                cut()
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def cut() -> None:
    """Take the link down, once, if that was asked for; what is sent from then on is lost."""
    flag, link = Path(os.environ.get("CUT_FLAG", "/nonexistent")), os.environ.get("CUT_LINK", "")
    if flag.exists():
        subprocess.run(["ip", "link", "set", link, "down"], check=True)  # noqa: S607 - ip is on the given PATH
        flag.unlink()


async def main(arguments: list[str]) -> None:
    servers = [await listen(*pair) for pair in zip(arguments[::2], arguments[1::2], strict=True)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

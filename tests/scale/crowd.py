"""Many calls at once, each on a connection of its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Final
from urllib.parse import urlsplit

from tests.scale.load import NO_RESPONSE, Answer
from tests.waiting import HANG_SECONDS

PARSER: Final = BytesHeaderParser()


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a server."""

    url: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def name(self) -> str:
        """Return the method and the path without its query."""
        return f"{self.method} {self.path.partition('?')[0]}"

    def encode(self) -> bytes:
        """Return the request, after which the server closes the connection."""
        fixed = {"Host": urlsplit(self.url).netloc, "Connection": "close", "Content-Length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**self.headers, **fixed}.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def send_at_once(calls: Sequence[Call]) -> list[Answer]:
    """Open all connections, then send all calls, and return the answers in their order."""
    return asyncio.run(_send_all(calls))


def describe(answers: Sequence[Answer]) -> str:
    """Return how long the calls took, in seconds."""
    taken = sorted(answer.seconds for answer in answers)
    shown = {"half": len(taken) // 2, "99 %": len(taken) * 99 // 100, "all": len(taken) - 1}
    return ", ".join(f"{share} within {taken[place]:.1f} s" for share, place in shown.items())


async def _send_all(calls: Sequence[Call]) -> list[Answer]:
    opened = await asyncio.gather(*(_open(call) for call in calls))
    return await asyncio.gather(*(_send(call, *streams) for call, streams in zip(calls, opened, strict=True)))


async def _open(call: Call) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(call.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _send(call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    began = time.monotonic()
    writer.write(call.encode())
    try:
        raw = await asyncio.wait_for(reader.read(), HANG_SECONDS)
    except OSError as error:  # a timeout is one, too
        return Answer(call.name, NO_RESPONSE, time.monotonic() - began, repr(error))
    finally:
        writer.close()
    taken = time.monotonic() - began
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head:
        return Answer(call.name, NO_RESPONSE, taken, "the connection was closed")
    line, _, fields = head.partition(b"\r\n")
    retry_after = PARSER.parsebytes(fields)["Retry-After"]
    return Answer(call.name, int(line.split()[1]), taken, body.decode(errors="replace"), retry_after)

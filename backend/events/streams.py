"""The open streams of this process: whom each belongs to, what it has still to send, and when it ends."""

import asyncio
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import orjson

from backend.core.events import protocol
from backend.core.events.protocol import Event, Message
from backend.core.observability import metrics

MAX_PENDING: Final = 64  # different objects; a reader who is further behind re-reads everything
ROLE_PAUSE_SECONDS: Final = 1.0  # events for a whole role go out together, at most this often
REMEMBERED_SECONDS: Final = 120.0  # how long ended sessions are known, longer than any check of a token takes
RETRY_SECONDS: Final = (1.0, 4.0)  # from a stream's end to the next try, chosen for each stream
STREAMS_A_SECOND: Final = 100  # how fast clients may come back after all streams have ended together
RESYNC: Final = "resync"
PING: Final = b": ping\n\n"


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a stream belongs to. ``expires_at`` is when its token does, in seconds since 1970."""

    account_id: int
    role: str
    session_id: str
    expires_at: int


@dataclass(slots=True, eq=False)
class Stream:
    """One stream. Only the last event of each object waits to be sent, so that a slow reader holds little memory."""

    access: Access
    pending: dict[tuple[str, int | None], bytes] = field(default_factory=dict)
    is_behind: bool = False
    is_ended: bool = False
    ping_due: bool = False
    ping_at: float = 0.0
    last_words: bytes = b""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    expiry: asyncio.TimerHandle | None = None

    def put(self, key: tuple[str, int | None], text: bytes) -> None:
        """Queue an event in place of an earlier one of the same object."""
        if self.is_behind:
            return
        self.pending[key] = text
        if len(self.pending) > MAX_PENDING:
            self.pending.clear()
            self.is_behind = True
        self.wake.set()

    def ping(self) -> None:
        """Send a comment if nothing else is to be sent, so that proxies keep the connection."""
        self.ping_due = True
        self.wake.set()

    def end(self, *, retry_seconds: float) -> None:
        """End the stream once what is queued was sent."""
        if not self.is_ended:
            self.is_ended = True
            self.last_words = retry(retry_seconds)
            self.wake.set()

    def take(self, resync: bytes) -> bytes:
        """Return what is to be sent now; ``resync`` stands for everything that a slow reader has missed."""
        parts = [resync] if self.is_behind else list(self.pending.values())
        if self.ping_due and not parts:
            parts = [PING]
        self.pending.clear()
        self.is_behind = self.ping_due = False
        self.wake.clear()
        return b"".join(parts)


class TooManyStreams(Exception):
    """The account, or this process, has as many streams as it may."""


@dataclass(slots=True)
class Limits:
    """How many streams there may be: in this process, and of one account in it."""

    in_all: int
    per_account: int


class Streams:
    """All streams, and the events that go to them. For one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._all: set[Stream] = set()
        self._of_account: defaultdict[int, set[Stream]] = defaultdict(set)
        self._of_role: defaultdict[str, set[Stream]] = defaultdict(set)
        self._of_session: defaultdict[str, set[Stream]] = defaultdict(set)
        self._ended_sessions: OrderedDict[str, float] = OrderedDict()
        self._for_roles: dict[tuple[str, str], Event] = {}
        self._role_timer: asyncio.TimerHandle | None = None
        self._none = asyncio.Event()

    def __len__(self) -> int:
        return len(self._all)

    def open(self, access: Access, *, now: float) -> Stream:
        """Open a stream. Raises TooManyStreams, or PermissionError if its session has ended meanwhile."""
        if access.session_id in self._ended_sessions or access.expires_at <= now:
            raise PermissionError
        if len(self._all) >= self._limits.in_all:
            raise TooManyStreams
        if len(self._of_account.get(access.account_id, ())) >= self._limits.per_account:
            raise TooManyStreams
        stream = Stream(access)
        for streams in self._places_of(access):
            streams.add(stream)
        loop = asyncio.get_running_loop()
        stream.expiry = loop.call_later(access.expires_at - now, lambda: stream.end(retry_seconds=0.0))
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        access = stream.access
        for streams in self._places_of(access):
            streams.discard(stream)
        if not self._of_account[access.account_id]:
            del self._of_account[access.account_id]
        if not self._of_session[access.session_id]:
            del self._of_session[access.session_id]
        if stream.expiry is not None:
            stream.expiry.cancel()
        if not self._all:
            self._none.set()

    async def wait_until_none(self) -> None:
        """Wait until no stream is open."""
        if self._all:
            self._none.clear()
            await self._none.wait()

    def _places_of(self, access: Access) -> Iterator[set[Stream]]:
        yield self._all
        yield self._of_account[access.account_id]
        yield self._of_role[access.role]
        yield self._of_session[access.session_id]

    def opening(self, last_event_id: str) -> bytes:
        """Return the beginning of a stream: when to come back, and ``resync`` if anything may have been missed."""
        begin = retry(_between(*RETRY_SECONDS))
        position = self._id()
        if last_event_id and last_event_id != position:
            return begin + self.resync()
        return begin + f"id: {position}\n\n".encode()

    def resync(self) -> bytes:
        """Return the event that tells a client to re-read everything that it shows."""
        return self._text(Event(RESYNC))

    def take(self, stream: Stream) -> bytes:
        """Return what is to be sent on a stream now."""
        return stream.take(self.resync() if stream.is_behind else b"")

    def receive(self, message: Message, *, now: float) -> None:
        """Queue the events of a message for the streams that they concern, and end streams."""
        for event in message.events:
            self._number += 1
            self._send(event, (stream for account in event.accounts for stream in self._of_account.get(account, ())))
            for role in event.roles:
                self._send_to_role(role, event)
        for session in message.ended_sessions:
            self._ended_sessions[session] = now
            for stream in self._of_session.get(session, ()):
                stream.end(retry_seconds=0.1)
        self._forget_sessions(before=now - REMEMBERED_SECONDS)
        if message.lost:
            self.end_all()

    def due_for_ping(self, *, now: float, every: float) -> list[Stream]:
        """Return the streams whose time has come, each at one of its own, so that not all are written to at once.

        By the clock: if this comes late, as on a busy machine, no stream waits for longer than that.
        """
        due = []
        for stream in self._all:
            if stream.ping_at <= now:
                if stream.ping_at:
                    due.append(stream)
                stream.ping_at = now + (every if stream.ping_at else _between(0.0, every))
        return due

    def end_all(self) -> None:
        """End all streams; their clients come back one after another, and re-read what they show."""
        self._number += 1
        spread = max(RETRY_SECONDS[1], len(self._all) / STREAMS_A_SECOND)
        for stream in self._all:
            stream.end(retry_seconds=_between(RETRY_SECONDS[0], spread))

    def _send(self, event: Event, streams: Iterable[Stream]) -> None:
        text, sent = b"", 0
        for stream in streams:
            text = text or self._text(event)
            stream.put((event.topic, event.id), text)
            sent += 1
        if sent:
            metrics.events_sent(sent)

    def _send_to_role(self, role: str, event: Event) -> None:
        """Send an event to a role with the next batch, without its id if another object changed as well."""
        key = (role, event.topic)
        known = self._for_roles.get(key)
        alone = known is None or known.id == event.id
        self._for_roles[key] = Event(event.topic, (), (role,), *((event.id, event.version) if alone else ()))
        if self._role_timer is None:
            self._role_timer = asyncio.get_running_loop().call_later(ROLE_PAUSE_SECONDS, self._flush_roles)

    def _flush_roles(self) -> None:
        self._role_timer = None
        waiting, self._for_roles = self._for_roles, {}
        for (role, _), event in waiting.items():
            self._send(event, self._of_role.get(role, ()))

    def _forget_sessions(self, *, before: float) -> None:
        while self._ended_sessions:
            session, at = next(iter(self._ended_sessions.items()))
            if at >= before:
                return
            del self._ended_sessions[session]

    def _id(self) -> str:
        return f"{self._boot}-{self._number}"

    def _text(self, event: Event) -> bytes:
        return b"id: %b\ndata: %b\n\n" % (self._id().encode(), orjson.dumps(protocol.data(event)))


def retry(seconds: float) -> bytes:
    """Return the field that sets when a client comes back after the stream has ended."""
    return b"retry: %d\n\n" % int(seconds * 1000)


def _between(least: float, most: float) -> float:
    return least + (most - least) * secrets.randbelow(1000) / 1000

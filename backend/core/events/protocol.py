"""The messages between the processes that change something and those that hold the streams, over Valkey."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import orjson

from backend.core import valkey
from backend.settings import Settings

WEB_PATH: Final = "/events"
ACCESS_PATH: Final = "/events/access"


class Topic(StrEnum):
    """What changed, as clients read it. A client re-reads what it shows of the topic; an event holds no data."""

    ACCOUNT = "account"
    APPROVALS = "approvals"
    AUDIT = "audit"
    AUDIT_READS = "audit_reads"
    DELIVERIES = "deliveries"
    EXPORTS = "exports"
    FAVOURITES = "favourites"
    JOBS = "jobs"
    MESSAGES = "messages"
    NOTIFICATIONS = "notifications"
    REPORTS = "reports"
    REQUESTS = "requests"
    SCHEDULE = "schedule"
    SESSIONS = "sessions"
    TASKS = "tasks"
    USERS = "users"


class Event(NamedTuple):
    """A change for these accounts, and for every account of these roles.

    ``id`` and ``version`` are those of the changed object; None where several changed.
    """

    topic: str
    accounts: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()
    id: int | None = None
    version: int | None = None


class Message(NamedTuple):
    """What one transaction has to say: events, and sessions whose streams must end.

    ``lost``: earlier messages could not be sent, so every stream has to begin again. ``joined``, ``left``: processes
    that publish from now on, and those that have sent everything and end (`backend.core.events.presence`).
    """

    events: tuple[Event, ...] = ()
    ended_sessions: tuple[str, ...] = ()
    lost: bool = False
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def channel(settings: Settings) -> str:
    """Return the channel of this installation. A server's databases share their channels, so it names the database."""
    return f"doorstep:events:{valkey.database(settings.broker_url)}"


def presence_channel(settings: Settings, process_id: str) -> str:
    """Return the channel that a process which publishes holds; with ``*`` the pattern of all of them."""
    return f"{channel(settings)}:publisher:{process_id}"


def dump(message: Message) -> bytes:
    """Return the message as sent."""
    events = [tuple(event) for event in message.events]  # orjson takes no subclasses of tuple
    return orjson.dumps({**message._asdict(), "events": events})


def load(sent: bytes) -> Message:
    """Return a message that was sent. Raises ValueError if it is not one."""
    try:
        found = orjson.loads(sent)
        return Message(
            tuple(_event(one) for one in found["events"]),
            tuple(str(session) for session in found["ended_sessions"]),
            bool(found["lost"]),
            *(tuple(map(str, found.get(name, ()))) for name in ("joined", "left")),  # the version before sends neither
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a message of live updates") from error


def joined(messages: Iterable[Message]) -> Message:
    """Return one message in place of several."""
    several = list(messages)
    return Message(
        tuple(dict.fromkeys(event for one in several for event in one.events)),
        tuple(dict.fromkeys(session for one in several for session in one.ended_sessions)),
        any(one.lost for one in several),
        tuple(process for one in several for process in one.joined),
        tuple(process for one in several for process in one.left),
    )


def _event(values: list[object]) -> Event:
    topic, accounts, roles, object_id, version = values
    return Event(
        str(topic),
        tuple(map(int, _items(accounts))),
        tuple(map(str, _items(roles))),
        object_id if isinstance(object_id, int) else None,
        version if isinstance(version, int) else None,
    )


def _items(values: object) -> list[int]:
    if not isinstance(values, list):
        raise TypeError("not a list")
    return values


def data(event: Event) -> Mapping[str, object]:
    """Return what a client reads of an event."""
    return {"topic": event.topic, "id": event.id, "version": event.version}

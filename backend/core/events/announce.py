"""Announce changes in the transaction that makes them; they are published once it has committed."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from flask import Flask

from backend.core.clock import is_frozen
from backend.core.db import positions
from backend.core.db.after_commit import AfterCommit
from backend.core.events.protocol import Event, Message, Topic, joined
from backend.core.failpoints import failpoint
from backend.core.security.authz import Role

Publish = Callable[[Message], None]
Prepare = Callable[[], None]
_publisher: Final[list[Publish]] = []
_prepare: Final[list[Prepare]] = []


def init_app(app: Flask, *, publisher: Publish, prepare: Prepare | None = None) -> None:
    """Set how messages are published. It must not wait: it runs in the call that made the change.

    ``prepare`` runs in the transaction, before anything is announced.
    """
    _publisher[:] = [publisher]
    _prepare[:] = [prepare] if prepare else []
    app.extensions["event_publisher"] = publisher


def announce(
    topic: Topic,
    *,
    accounts: Iterable[int | None] = (),
    roles: Collection[Role] = (),
    object_id: int | None = None,
    version: int | None = None,
) -> None:
    """Announce a change to these accounts (None stands for no one) and to all accounts of these roles.

    Nothing is announced while the clock is frozen, because the demo's past changes are no news.
    """
    to = tuple(sorted({account for account in accounts if account is not None}))
    if (to or roles) and not is_frozen():
        positions.need([*map(positions.of_account, to), *map(positions.of_role, roles)])  # they will read it again
        _announce(Message((Event(topic.value, to, tuple(role.value for role in roles), object_id, version),)))


def announce_ended_sessions(session_ids: Iterable[str]) -> None:
    """End the streams of these sessions."""
    if ended := tuple(session_ids):
        _announce(Message(ended_sessions=ended))


def begin() -> None:
    """Prepare for announcing before any transaction: the first one of this process would wait for it."""
    for prepare in _prepare:
        prepare()


def _announce(message: Message) -> None:
    begin()
    _committed.add([message])


def _publish(messages: list[Message]) -> None:
    failpoint("events.before_publishing")
    for publish in _publisher:
        publish(joined(messages))


_committed: Final = AfterCommit[Message]("events", _publish)

"""Where the write-ahead log was after the last change of each account, noted in Valkey (ADR 187).

A position is a number of bytes since the cluster was created. A read of an account may come from a replica that has
replayed its position.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import redis
from flask import current_app, g, has_app_context
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from backend.core import valkey
from backend.core.circuit_breaker import CircuitBreaker
from backend.core.db.read_pool import REPLICA
from backend.core.db.session import db, position_of_commit
from backend.core.security.authz import Role
from backend.settings import Settings

KEEP_SECONDS: Final = 60  # far longer than a replica that is asked may be behind
# After a failure this process asks the primary for longer than that, because what it could not note is unknown.
DISTRUST_SECONDS: Final = 6.0
CHANGED_FOR: Final = "changed_for"  # of a session: the keys of accounts and roles whose reads must not miss it
# Of two changes at the same time, the later position counts, in whatever order they arrive.
NOTE: Final = """
    for _, key in ipairs(KEYS) do
        if tonumber(redis.call('GET', key) or '0') < tonumber(ARGV[1]) then
            redis.call('SET', key, ARGV[1], 'EX', ARGV[2])
        end
    end
"""


class Positions:
    """Notes positions in the cache's database and reads them, within CACHE_TIMEOUT_MS."""

    def __init__(self, settings: Settings) -> None:
        seconds = settings.cache_timeout_ms / 1000
        self._client = valkey.client(
            settings.cache_url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
        )
        self._breaker = CircuitBreaker(
            "positions",
            event="database.positions_unavailable",
            errors=(redis.RedisError, OSError),
            first=DISTRUST_SECONDS,
        )

    def note(self, position: int, keys: Sequence[str]) -> None:
        """Note that reads of these accounts and roles need the position. Without Valkey it is lost."""
        self._breaker.call(self._client.eval, NOTE, len(keys), *keys, str(position), str(KEEP_SECONDS))

    def latest(self, keys: Sequence[str]) -> int | None:
        """Return the position that the account's reads need; 0 if any will do, None if Valkey is unavailable."""
        found = self._breaker.call(self._client.mget, keys)
        return None if found is None else max((int(value) for value in found if value), default=0)


def of_account(account_id: int) -> str:
    """Return the key of an account's position."""
    return f"doorstep:wrote:{account_id}"


def of_role(role: Role | str) -> str:
    """Return the key of the position that the accounts of a role need."""
    return f"doorstep:wrote:{role}"


def need(keys: Iterable[str]) -> None:
    """Note, once the current transaction has committed, that reads of these accounts and roles must not miss it.

    The account that makes the call is noted anyway.
    """
    if REPLICA in current_app.extensions:
        db.session().info.setdefault(CHANGED_FOR, set()).update(keys)


@event.listens_for(Session, "after_commit", insert=True)  # before what else happens then
def _note(session: Session) -> None:
    """Note the position for all whom the change concerns, before the answer is sent and events are published."""
    if session.in_nested_transaction():
        return
    keys: set[str] = session.info.pop(CHANGED_FOR, set())
    replica = current_app.extensions.get(REPLICA) if has_app_context() else None
    position = None if replica is None else position_of_commit()
    if replica is None or position is None:
        return
    caller = g.get("caller")
    if caller is not None and caller.account_id is not None:
        keys.add(of_account(caller.account_id))
    if keys:
        replica.positions.note(position, sorted(keys))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(CHANGED_FOR, None)

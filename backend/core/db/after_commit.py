"""What a transaction collects, to be handed over once the outermost transaction has committed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar, cast

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from backend.core.db.session import db

Item = TypeVar("Item")


@dataclass(slots=True)
class _Pending(Generic[Item]):
    """Items collected so far and, per open savepoint, how many there were when it started."""

    items: list[Item] = field(default_factory=list)
    before: dict[SessionTransaction, int] = field(default_factory=dict)


class AfterCommit(Generic[Item]):
    """Collects items of one kind and hands them to ``receive``, which must not raise, after the commit.

    Items of a rolled-back transaction or savepoint are dropped.
    """

    def __init__(self, name: str, receive: Callable[[list[Item]], None]) -> None:
        self._key: Final = f"after_commit:{name}"
        self._receive = receive
        event.listen(Session, "after_transaction_create", self._remember)
        event.listen(Session, "after_commit", self._hand_over)
        event.listen(Session, "after_soft_rollback", self._forget)

    def add(self, items: Iterable[Item]) -> None:
        """Collect items in the current transaction."""
        session = db.session()
        if not session.in_transaction():
            session.begin()  # sends nothing; without it a rollback before any statement would keep the items
        self._pending(session).items.extend(items)

    def _pending(self, session: Session) -> _Pending[Item]:
        return cast("_Pending[Item]", session.info.setdefault(self._key, _Pending()))

    def _remember(self, session: Session, started: SessionTransaction) -> None:
        if started.nested:
            pending = self._pending(session)
            pending.before[started] = len(pending.items)

    def _hand_over(self, session: Session) -> None:
        if session.in_nested_transaction():
            return  # the event also fires on savepoint release, when the rows are not visible yet
        pending: _Pending[Item] | None = session.info.pop(self._key, None)
        if pending and pending.items:
            self._receive(pending.items)

    def _forget(self, session: Session, ended: SessionTransaction) -> None:
        """Drop the items of the rolled-back transaction or savepoint."""
        if ended.nested:
            pending = self._pending(session)
            del pending.items[pending.before.pop(ended, len(pending.items)) :]
        elif ended.parent is None:
            session.info.pop(self._key, None)

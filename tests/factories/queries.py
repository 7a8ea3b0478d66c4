"""Counting the queries that a piece of code makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from backend.core.database import db


@dataclass
class Counted:
    """The statements that went to the database."""

    statements: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.statements)


@contextmanager
def count_queries() -> Iterator[Counted]:
    """Count the statements of the engine while the block runs. Needs an application context."""
    counted = Counted()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

"""Counts the queries that a block of code makes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import psycopg

from backend.core.db.read_pool import ReadConnection


@dataclass
class Counted:
    """The statements that went to the database."""

    statements: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.statements)


@contextmanager
def count_queries() -> Iterator[Counted]:
    """Count the statements of this thread while the block runs, without pings, which are empty.

    Other threads, such as the renewal of leases, run statements whenever they are due.
    """
    counted = Counted()
    own = threading.get_ident()

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == own and str(query).strip(" ;"):
                counted.statements.append(str(query))
            return real(cursor, query, *args, **kwargs)

        return execute

    def read(connection: Any, compiled: Any, *args: Any, real: Any = ReadConnection.read) -> Any:
        if threading.get_ident() == own:
            counted.statements.append(compiled.sql.decode())
        return real(connection, compiled, *args)

    with (
        patch.object(ReadConnection, "read", read),
        patch.object(psycopg.Cursor, "execute", counting(psycopg.Cursor.execute)),
        patch.object(psycopg.Cursor, "executemany", counting(psycopg.Cursor.executemany)),
    ):
        yield counted

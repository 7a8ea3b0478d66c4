"""COPY in text format, and indexes that are made after the rows instead of with each of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg

Connection = psycopg.Connection[Any]
NULL: Final = r"\N"
BLOCK: Final = 5_000
INDEXES: Final = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
     WHERE i.indrelid = ANY(%s::regclass[]) AND c.oid IS NULL
"""


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write rows whose values hold no tab, newline or backslash; returns how many."""
    number = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as out:
        block: list[str] = []
        for row in rows:
            block.append("\t".join([NULL if value is None else str(value) for value in row]))
            number += 1
            if len(block) == BLOCK:
                out.write("\n".join(block) + "\n")
                block.clear()
        if block:
            out.write("\n".join(block) + "\n")
    return number


@contextmanager
def indexes_later(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Drop the tables' indexes that no constraint needs, and make them again at the end."""
    found = connection.execute(INDEXES, (list(tables),)).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in found:
        connection.execute(definition)

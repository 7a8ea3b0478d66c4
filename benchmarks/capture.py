"""Which statements the product runs for an address: what a bare route has to run to do the same."""

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from flask import Flask
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from backend.core.db.read_pool import Reads


def statements(
    app: Flask, paths: Iterable[str], *, headers: dict[str, str] | None = None
) -> dict[str, list[tuple[str, Any]]]:
    """The statements of each address, with their parameters. Raises RuntimeError when a call fails."""
    client = app.test_client()
    found: dict[str, list[tuple[str, Any]]] = {}
    with app.app_context():
        for path in paths:
            seen: list[tuple[str, Any]] = []

            real = psycopg.Cursor.execute

            def note(
                cursor: Any, query: Any, values: Any = None, *, seen: Any = seen, real: Any = real, **how: Any
            ) -> Any:
                if str(query).strip(" ;"):
                    seen.append((str(query), dict(values) if values else None))
                return real(cursor, query, values, **how)

            def read(reads: Any, statement: Any, values: Any, *, seen: Any = seen, real: Any = Reads.rows) -> Any:
                compiled = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
                seen.append((str(compiled), {**compiled.params, **values}))
                return real(reads, statement, values)

            with patch.object(psycopg.Cursor, "execute", note), patch.object(Reads, "rows", read):
                answer = client.get(path, headers=headers)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:200]}")
            found[path if "?" in path else f"{path}?"] = seen
    return found


def keep(folder: Path, found: dict[str, list[tuple[str, Any]]], *, body: bytes = b"{}") -> None:
    """Lay them down for the bare application."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statements").write_bytes(pickle.dumps(found))
    (folder / "body").write_bytes(body)

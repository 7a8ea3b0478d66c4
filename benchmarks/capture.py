"""Which statements the product runs for an address: what a bare route has to run to do the same."""

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from backend.core.database import db


def statements(
    app: Flask, paths: Iterable[str], *, headers: dict[str, str] | None = None
) -> dict[str, list[tuple[str, Any]]]:
    """The statements of each address, with their parameters. Raises RuntimeError when a call fails."""
    client = app.test_client()
    found: dict[str, list[tuple[str, Any]]] = {}
    with app.app_context():
        for path in paths:
            seen: list[tuple[str, Any]] = []

            def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any, seen: Any = seen) -> None:
                seen.append((statement, dict(parameters) if parameters else None))

            event.listen(db.engine, "before_cursor_execute", note)
            answer = client.get(path, headers=headers)
            event.remove(db.engine, "before_cursor_execute", note)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:200]}")
            found[path if "?" in path else f"{path}?"] = seen
    return found


def keep(folder: Path, found: dict[str, list[tuple[str, Any]]], *, body: bytes = b"{}") -> None:
    """Lay them down for the bare application."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statements").write_bytes(pickle.dumps(found))
    (folder / "body").write_bytes(body)

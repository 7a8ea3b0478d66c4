"""Hashed files of the web application, kept in the database by their names.

While machines are upgraded one after the other, a page of one build asks a machine that has another one for its files;
and a page that was opened before the upgrade loads more of its own files days later. Each machine has the files of its
own build only.
"""

import gzip
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Index, LargeBinary, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.session import Base, db

KEPT: Final = timedelta(days=7)
NAME: Final = re.compile(r"[\w.-]{1,100}", re.ASCII)
COPIES: Final = (".br", ".gz")
CONTENT: Final = text("SELECT content FROM web_assets WHERE name = :name")


class WebAsset(Base):
    """A file, compressed with gzip. ``superseded_at``: since when the newest build is without it."""

    __tablename__ = "web_assets"

    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    superseded_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_web_assets_superseded", "superseded_at", postgresql_where=text("superseded_at IS NOT NULL")),
    )


def keep(folder: Path) -> int:
    """Keep the files of the newest build, and return how many were not there yet. Files of other builds age from now.

    A name contains the hash of its file's content, so a file that is there is never replaced.
    """
    files = {path.name: path for path in folder.glob("*") if path.suffix not in COPIES and path.is_file()}
    if not files:
        return 0
    there = set(db.session.execute(select(WebAsset.name)).scalars())
    rows = [{"name": name, "content": _compressed(path)} for name, path in files.items() if name not in there]
    if rows:
        db.session.execute(insert(WebAsset).on_conflict_do_nothing(), rows)
    _change(WebAsset.name.in_(files), WebAsset.superseded_at.is_not(None), superseded_at=None)
    _change(WebAsset.name.not_in(files), WebAsset.superseded_at.is_(None), superseded_at=func.now())
    return len(rows)


def find(name: str) -> bytes | None:
    """Return a kept file, compressed with gzip."""
    if not NAME.fullmatch(name):
        return None
    rows = read_pool.rows(CONTENT, {"name": name})
    return bytes(rows[0][0]) if rows else None


def drop_old(limit: int = 500) -> int:
    """Delete files that no build has had for a week, and return how many."""
    old = select(WebAsset.name).where(WebAsset.superseded_at < now() - KEPT).limit(limit)
    gone = delete(WebAsset).where(WebAsset.name.in_(old.scalar_subquery())).returning(WebAsset.name)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _compressed(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    return packed.read_bytes() if packed.exists() else gzip.compress(path.read_bytes(), mtime=0)


def _change(*conditions: ColumnElement[bool], **values: object) -> None:
    statement = update(WebAsset).where(*conditions).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))

"""Saves database, documents and exports as of one point in time, while the product is running."""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from backend.core.errors import DomainError
from backend.core.storage import Store, stores
from backend.launch import database_programs
from backend.launch.errors import LaunchError
from backend.launch.manifest import DATABASE_FILE, PIECE, SHOWN, File, Manifest, digest
from backend.settings import VERSION, Settings

# Required files, and files that may be missing: those of replaced documents and photos, of exports about to expire.
FILES: Final[Mapping[str, str]] = {
    "documents": """
        SELECT store_key, sha256, replaced_at IS NULL FROM documents
        UNION ALL SELECT store_key, sha256, replaced_at IS NULL FROM profile_photos
        UNION ALL SELECT small_store_key, small_sha256, replaced_at IS NULL FROM profile_photos
        UNION ALL SELECT store_key, sha256, removed_at IS NULL FROM request_photos
        UNION ALL SELECT thumb_store_key, thumb_sha256, removed_at IS NULL FROM request_photos
    """,
    "exports": """
        SELECT store_key || ending, CASE WHEN ending = '' THEN sha256 END, expires_at > now() + interval '1 day'
          FROM exports, unnest(ARRAY['', '.gz']) AS ending
         WHERE status = 'done' AND dropped_at IS NULL AND (ending = '' OR packed_size IS NOT NULL)
    """,
}
TABLES: Final = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""


class Named(NamedTuple):
    """A file that a row refers to."""

    store: str
    key: str
    sha256: str | None
    is_needed: bool


def save(settings: Settings, folder: Path) -> Manifest:
    """Save into a new folder, which gets its name once it is complete.

    Rows and the list of files come from one snapshot, so concurrent changes are either included or not. Raises
    LaunchError if a file in the snapshot is missing or differs from its digest.
    """
    if folder.exists():
        raise LaunchError(f"{folder} is there already; give a new name.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    try:
        manifest = _fill(settings, unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.rename(folder)
    return manifest


def _fill(settings: Settings, unfinished: Path) -> Manifest:
    with psycopg.connect(settings.as_owner().database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        (snapshot,) = _one(connection, "SELECT pg_export_snapshot()")
        dump = database_programs.start(
            "pg_dump",
            settings.as_owner().database_url,
            *("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"),
            f"--file={unfinished / DATABASE_FILE}",
        )
        try:
            files = _copy_files(connection, settings, unfinished)
            dump.finish()
        except BaseException:
            dump.stop()
            raise
        (unfinished / DATABASE_FILE).chmod(0o600)
        (revision,) = _one(connection, "SELECT version_num FROM alembic_version")
        counts = count(connection)
    manifest = Manifest(
        made_at=made_at,
        revision=revision,
        version=VERSION,
        database_sha256=digest(unfinished / DATABASE_FILE),
        counts=counts,
        files=files,
    )
    manifest.write(unfinished)
    return manifest


def count(connection: psycopg.Connection[TupleRow]) -> dict[str, int]:
    """Return the number of rows of each table, as seen by the connection's transaction."""
    found = {}
    for (name,) in connection.execute(TABLES).fetchall():
        (found[name],) = _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name)))
    return found


def _one(connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed | str) -> TupleRow:
    row = connection.execute(sql.SQL(query) if isinstance(query, str) else query).fetchone()
    if row is None:
        raise LaunchError("The database is empty: prepare it first.")
    return tuple(row)


def _copy_files(connection: psycopg.Connection[TupleRow], settings: Settings, target: Path) -> list[File]:
    found, problems = [], []
    places = stores(settings)
    for name, query in FILES.items():
        for row in connection.execute(sql.SQL(query)).fetchall():
            named = Named(name, *row)
            file = _copy(places[name], named, target / name / named.key)
            if file is None and named.is_needed:
                problems.append(f"{name}/{named.key} is missing from the store")
            elif file is not None and named.sha256 not in (None, file.sha256):
                problems.append(f"{name}/{named.key} differs from its digest")
            elif file is not None:
                found.append(file)
    if problems:
        more = f" (and {len(problems) - SHOWN} more)" if len(problems) > SHOWN else ""
        raise LaunchError(f"The backup would be incomplete: {'; '.join(problems[:SHOWN])}{more}. Nothing was saved.")
    return found


def _copy(store: Store, named: Named, target: Path) -> File | None:
    """Copy one file; return None if the store lacks it. Raises LaunchError if the store does not respond."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    found, size = hashlib.sha256(), 0
    try:
        with store.reading(named.key) as source, target.open("xb") as copy:
            while piece := source.read(PIECE):
                copy.write(piece)
                found.update(piece)
                size += len(piece)
    except DomainError as error:
        target.unlink(missing_ok=True)
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise LaunchError(f"{named.store}/{named.key} cannot be read: {error.__cause__ or error.detail}") from None
    target.chmod(0o600)
    return File(named.store, named.key, size, found.hexdigest())

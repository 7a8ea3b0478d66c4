"""Restores a backup into a new database and exchanges it with the current one in one step."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from backend.app import create_app
from backend.cli import quarantine
from backend.core.db.session import db
from backend.core.errors import DomainError
from backend.core.storage import Store, stores
from backend.launch import database_programs, database_roles
from backend.launch.backup_contents import count, save
from backend.launch.errors import LaunchError
from backend.launch.manifest import DATABASE_FILE, PIECE, SHOWN, Manifest
from backend.migrations import FOLDER
from backend.migrations.setup import upgrade
from backend.settings import Settings

Say = Callable[[str], None]
# Filter by username: a plain role cannot see the activity of others, and server processes have none.
CONNECTED: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename IS NOT NULL AND pid <> pg_backend_pid()
"""
IN_USE: Final = "{} connections to the database are open. Stop web server, worker and beat, then try again."
NOT_SAVED: Final = "The current state cannot be backed up: {} OVER=1 restores without backing it up first."


@dataclass(frozen=True)
class Restoring:
    """One restore: source, target, and whether the current state is backed up first."""

    settings: Settings
    folder: Path
    over: bool
    keep_mail: bool
    say: Say

    @property
    def live(self) -> str:
        """Return the name of the product's database."""
        return str(conninfo_to_dict(self.settings.database_url)["dbname"])

    @property
    def fresh(self) -> str:
        """Return the name of the database that the backup is restored into."""
        return f"{self.live}_restoring"

    def run(self) -> None:
        """Restore. The current state is not touched before the last step, so a failure leaves it unchanged."""
        manifest = Manifest.read(self.folder)
        newest = _refuse_unknown(manifest)
        manifest.check(self.folder)
        with self._administering() as server:
            self._refuse_connected(server)
            there = self._is_readable()
            if there and not self.over:
                self._save_first()
            self._make_fresh(server)
            try:
                self._read_dump(manifest)
                report = self._make_safe(manifest, migrate=manifest.revision != newest, there=there)
                self._put_files(manifest)
                self._exchange(server)
            except BaseException:
                self._drop(server, self.fresh)
                raise
        self.say(f"Restored the backup of {manifest.made_at}.")
        for line in report:
            self.say(line)

    @contextmanager
    def _administering(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """Connect to another database of the server, because a database in use cannot be renamed."""
        failed: psycopg.Error | None = None
        for name in ("postgres", "template1"):
            try:
                connection = psycopg.connect(self._url(name), autocommit=True, connect_timeout=5)
            except psycopg.OperationalError as error:
                failed = error
                continue
            with connection:
                yield connection
            return
        raise LaunchError(f"The database server cannot be reached as the owner: {failed}")

    def _refuse_connected(self, server: psycopg.Connection[TupleRow]) -> None:
        (others,) = server.execute(CONNECTED, (self.live,)).fetchone() or (0,)
        if others:
            raise LaunchError(IN_USE.format(others))

    def _is_readable(self) -> bool:
        """Return whether the product's database exists and is prepared."""
        try:
            with psycopg.connect(self._url(self.live), connect_timeout=5) as connection:
                return connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,)
        except psycopg.Error:
            return False

    def _save_first(self) -> None:
        folder = self.settings.data_dir / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        try:
            save(self.settings, folder)
        except (LaunchError, OSError, psycopg.Error) as error:
            raise LaunchError(NOT_SAVED.format(error)) from None
        self.say(f"The previous state was backed up to {folder}; delete it when you no longer need it.")

    def _make_fresh(self, server: psycopg.Connection[TupleRow]) -> None:
        self._drop(server, self.fresh)
        try:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.fresh)))
        except psycopg.errors.InsufficientPrivilege:
            owner = database_roles.user_of(self._url(self.live))
            raise LaunchError(
                f"The role {owner} may not create the database to restore into. "
                f"As an administrator of the database: ALTER ROLE {owner} CREATEDB"
            ) from None

    def _read_dump(self, manifest: Manifest) -> None:
        options = ("--no-owner", "--no-privileges", "--no-comments", "--single-transaction", "--exit-on-error")
        database_programs.run("pg_restore", self._url(self.fresh), *options, str(self.folder / DATABASE_FILE))
        with psycopg.connect(self._url(self.fresh)) as connection:
            counts = count(connection)
        different = [
            f"{name} has {counts.get(name, 0)} rows instead of {wanted}"
            for name, wanted in manifest.counts.items()
            if counts.get(name, 0) != wanted
        ]
        if different:
            raise LaunchError(f"The backup is damaged: {'; '.join(different[:SHOWN])}")

    def _make_safe(self, manifest: Manifest, *, migrate: bool, there: bool) -> list[str]:
        """Migrate the new database to this version, and end or hold what must not come back."""
        app = create_app(replace(self.settings, database_url=self._url(self.fresh)))
        with app.app_context():
            try:
                if migrate:
                    upgrade()
                known = quarantine.read_present(self._url(self.live)) if there else None
                report = quarantine.run(made_at=manifest.made_at, known=known, keep_mail=self.keep_mail)
            finally:
                db.session.remove()
                db.engine.dispose()
        database_roles.admit(self._url(self.fresh), _on(self.settings.database_url, self.fresh))
        return report

    def _put_files(self, manifest: Manifest) -> None:
        places = stores(self.settings)
        for file in manifest.files:
            if _digest(places[file.store], file.key) != file.sha256:
                _put(places[file.store], file.key, self.folder / file.store / file.key)

    def _exchange(self, server: psycopg.Connection[TupleRow]) -> None:
        """Rename both databases in one transaction, so that the name always refers to a complete database."""
        aside = f"{self.live}_replaced"
        self._drop(server, aside)
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        exists = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self.live,)).fetchone()
        self._refuse_connected(server)
        try:
            with server.transaction():
                if exists:
                    server.execute(rename.format(sql.Identifier(self.live), sql.Identifier(aside)))
                server.execute(rename.format(sql.Identifier(self.fresh), sql.Identifier(self.live)))
        except psycopg.errors.ObjectInUse:  # a client connected in between
            raise LaunchError(IN_USE.format("New")) from None
        (self.settings.data_dir / "run" / "prepared.json").unlink(missing_ok=True)
        self._drop(server, aside)

    def _drop(self, server: psycopg.Connection[TupleRow], name: str) -> None:
        with contextlib.suppress(psycopg.errors.ObjectInUse):
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))

    def _url(self, database: str) -> str:
        return _on(self.settings.as_owner().database_url, database)


def _on(url: str, database: str) -> str:
    """Return the URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _refuse_unknown(manifest: Manifest) -> str:
    """Return the newest revision of this code. Raises LaunchError if the backup's revision is unknown to it."""
    script = ScriptDirectory(str(FOLDER))
    known = {revision.revision for revision in script.walk_revisions()}
    if manifest.revision not in known:
        raise LaunchError(
            f"The backup was made by another version ({manifest.version}, database revision {manifest.revision}), "
            f"which this one does not know. Restore it with that version, or a later one."
        )
    return str(script.get_current_head())


def _digest(store: Store, key: str) -> str | None:
    found = hashlib.sha256()
    try:
        with store.reading(key) as source:
            while piece := source.read(PIECE):
                found.update(piece)
    except DomainError:
        return None
    return found.hexdigest()


def _put(store: Store, key: str, source: Path) -> None:
    try:
        with source.open("rb") as saved, store.writing(key) as target:
            while piece := saved.read(PIECE):
                target.write(piece)
    except DomainError as error:
        raise LaunchError(f"The file {key} cannot be restored: {error.__cause__ or error.detail}") from None

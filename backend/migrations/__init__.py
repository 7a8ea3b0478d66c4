"""Database migrations (Alembic through Flask-Migrate)."""

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
CONTRACT: Final = re.compile(r'^phase = "contract"$', re.MULTILINE)


def revisions() -> list[str]:
    """Return the revisions in order, one per file, without branches."""
    return [_revision(path) for path in _files()]


def revisions_too_old() -> frozenset[str]:
    """Return the revisions at which a database is too old for this version.

    The newest expand revision is what this version needs; contract revisions after it may wait. Servers call this, so
    the files are read as text: Alembic would stay in their memory.
    """
    files = _files()
    needed = max(number for number, path in enumerate(files) if not CONTRACT.search(path.read_text(encoding="utf-8")))
    return frozenset(_revision(path) for path in files[:needed])


def _files() -> list[Path]:
    return sorted((FOLDER / "versions").glob("[0-9]*.py"))


def _revision(path: Path) -> str:
    return path.name.partition("_")[0]

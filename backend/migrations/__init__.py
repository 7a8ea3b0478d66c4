"""Database migrations (Alembic through Flask-Migrate)."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


def revisions() -> list[str]:
    """Return the revisions in order, one per file, without branches."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))

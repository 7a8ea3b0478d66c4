"""A backup brings everything back, and is refused where it would do harm."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from backend.launch import backup, folder
from backend.launch.embedded import EmbeddedPostgres
from backend.launch.errors import LaunchError
from backend.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """An installation with one row and one document."""
    settings = Settings.from_env({"DATA_DIR": str(tmp_path / "data")})
    server = EmbeddedPostgres(settings.data_dir)
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'before' AS word")
    server.stop()
    (settings.data_dir / "documents").mkdir()
    (settings.data_dir / "documents" / "proof").write_text("a document")
    yield settings
    server.destroy()


def change(settings: Settings, order: str) -> list[tuple[str, ...]]:
    server = EmbeddedPostgres(settings.data_dir)
    with psycopg.connect(server.start()) as connection:
        found = connection.execute(order).fetchall()
    server.stop()
    return found


def test_what_was_saved_comes_back(settings: Settings, tmp_path: Path) -> None:
    backup.carry_out("save", settings, tmp_path / "saved")
    assert change(settings, "UPDATE kept SET word = 'after' RETURNING word") == [("after",)]
    (settings.data_dir / "documents" / "proof").unlink()
    backup.carry_out("restore", settings, tmp_path / "saved")
    assert change(settings, "SELECT word FROM kept") == [("before",)]
    assert (settings.data_dir / "documents" / "proof").read_text() == "a document"


def test_nothing_is_restored_under_a_running_product(settings: Settings, tmp_path: Path) -> None:
    with folder.claim(settings.data_dir), pytest.raises(LaunchError, match="already runs"):
        backup.carry_out("restore", settings, tmp_path / "saved")


def test_a_folder_that_is_no_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="not a backup"):
        backup.carry_out("restore", settings, tmp_path)


def test_a_backup_is_never_written_over(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="give a new name"):
        backup.carry_out("save", settings, tmp_path)

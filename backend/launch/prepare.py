"""Migrations, database roles, places and first admin, in a separate process so that the launcher stays small.

`python -m backend.launch.prepare` prints one line of JSON for the operator.
"""

import json
import sys

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db import connection_budget
from backend.launch import database_roles
from backend.launch.errors import LaunchError
from backend.migrations.setup import upgrade
from backend.settings import Settings, SettingsError


def main() -> int:
    try:
        settings = Settings.with_owner()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    app = create_app(settings.as_owner())
    with app.app_context():
        upgrade()
    try:
        database_roles.admit(settings.owner_database_url, settings.database_url)
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    room = connection_budget.check_at(settings)
    if room.problem:
        sys.stderr.write(f"{room.problem}\n")
    if not room.fits:
        return 1
    result = bootstrap.run(app)
    summary = {"username": result.admin_username, "password": result.admin_password, "places": result.places_loaded}
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

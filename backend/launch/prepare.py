"""Migrations, places and first admin, in a process of its own so that the launcher stays small.

`python -m backend.launch.prepare` prints one line of JSON: what the person at the terminal must know.
"""

import json
import sys

from flask_migrate import upgrade

from backend.app import create_app
from backend.cli import bootstrap
from backend.settings import Settings, SettingsError


def main() -> int:
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    app = create_app(settings)
    with app.app_context():
        upgrade()
    result = bootstrap.run(app)
    told = {"username": result.admin_username, "password": result.admin_password, "places": result.places_loaded}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

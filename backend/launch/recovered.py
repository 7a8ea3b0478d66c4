"""`python -m backend.launch.recovered TIME [--last URL]`: after PostgreSQL was restored to an earlier time.

Does what `make restore` does to a backup, in place: ends sessions and links, and holds what may have been sent already.
"""

import argparse
import sys

import psycopg
from psycopg.conninfo import conninfo_to_dict

from backend.app import create_app
from backend.cli import quarantine
from backend.core.db.session import db
from backend.launch.backup import exit_code
from backend.launch.errors import LaunchError
from backend.launch.restore import CONNECTED, IN_USE
from backend.settings import Settings


def make_safe(settings: Settings, *, time: str, last: str | None = None, keep_mail: bool = False) -> list[str]:
    """Make the database of the settings safe, and return messages for the operator.

    ``time``: which it was restored to. ``last``: URL of the database as it was last, if that can still be read.
    Raises LaunchError if other clients are connected.
    """
    owner = settings.as_owner()
    with psycopg.connect(owner.database_url, connect_timeout=5) as connection:
        name = str(conninfo_to_dict(owner.database_url)["dbname"])
        (others,) = connection.execute(CONNECTED, (name,)).fetchone() or (0,)
    if others:
        raise LaunchError(IN_USE.format(others))
    known = quarantine.read_present(last) if last else None
    app = create_app(owner)
    with app.app_context():
        try:
            return quarantine.run(made_at=time, known=known, keep_mail=keep_mail)
        finally:
            db.session.remove()
            db.engine.dispose()


def main(arguments: list[str]) -> int:
    """Return 0 when the database is safe to use, 1 if it is in use or unavailable, 2 for an invalid setting."""
    parser = argparse.ArgumentParser(prog="python -m backend.launch.recovered")
    parser.add_argument("time", help="the time that the database was restored to, for the audit trail")
    parser.add_argument("--last", metavar="URL", help="the database as it was last, to repeat blocks made since")
    parser.add_argument("--keep-mail", action="store_true", help="send messages that waited at that time")
    given = parser.parse_args(arguments)

    def work() -> None:
        settings = Settings.with_owner()
        print("\n".join(make_safe(settings, time=given.time, last=given.last, keep_mail=given.keep_mail)))

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

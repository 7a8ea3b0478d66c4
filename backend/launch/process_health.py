"""`python -m backend.launch.process_health KIND`: exit with 0 if such processes of this machine report themselves.

For health checks of containers: it asks the database about this container, not the web server about all workers.
"""

import sys
from typing import Final

import psycopg

from backend.core.db.address import address
from backend.core.observability.process_reports import SILENT_SECONDS
from backend.settings import Settings, SettingsError

ALIVE: Final = """
    SELECT count(*) > 0 AND bool_and(seen_at > clock_timestamp() - make_interval(secs => %s))
      FROM processes WHERE machine = %s AND kind = %s
"""


def reports(settings: Settings, kind: str) -> bool:
    """Return whether there are such processes, and none of them is silent."""
    conninfo = address(settings.database_url, silent_seconds=settings.db_silent_seconds)
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        row = connection.execute(ALIVE, (SILENT_SECONDS, settings.machine_name, kind)).fetchone()
    return row is not None and bool(row[0])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m backend.launch.process_health web|worker|beat|events\n")
        return 2
    try:
        return 0 if reports(Settings.from_env(), arguments[0]) else 1
    except (SettingsError, psycopg.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m backend.launch.process_health KIND [--if-reachable]`: exit with 0 if these processes report themselves.

For health checks of containers: it asks the database about this container, not the web server about all workers.
With --if-reachable a database that does not answer is no failure, for checks after which an orchestrator restarts the
container: all workers at once would restart with every failover.
"""

import sys
from typing import Final

import psycopg

from backend.core.db.address import address
from backend.core.observability.process_reports import SILENT_SECONDS
from backend.settings import Settings, SettingsError

KINDS: Final = ("web", "worker", "beat", "events")
IF_REACHABLE: Final = "--if-reachable"
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
    kind, *options = arguments or [""]
    if kind not in KINDS or options not in ([], [IF_REACHABLE]):
        sys.stderr.write(f"usage: python -m backend.launch.process_health {'|'.join(KINDS)} [{IF_REACHABLE}]\n")
        return 2
    try:
        return 0 if reports(Settings.from_env(), kind) else 1
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except psycopg.Error as error:
        sys.stderr.write(f"{error}\n")
        return 0 if options else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

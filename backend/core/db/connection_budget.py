"""The number of database connections that this deployment may open, compared with the server's limits."""

from dataclasses import dataclass, replace
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from backend.settings import Settings

VERSIONS: Final = 1  # for cache versions: one thread reads them at a time
JOB_POOL: Final = 6  # two jobs (one found by polling) with a batch each, lease renewal, one spare
JOB_READS: Final = 2  # of the same two jobs
REPORTS: Final = 2  # of beat and of the process of live updates, each for milliseconds
COMMANDS: Final = 5  # prepare, backup, doctor and other commands run alongside the product

# A limit of -1 means none. Only other databases' connections are counted: our own may be left by an earlier start.
ROOM: Final = """
    SELECT current_setting('max_connections')::int AS most,
           least(current_setting('max_connections')::int
                     - current_setting('superuser_reserved_connections')::int
                     - coalesce(current_setting('reserved_connections', true)::int, 0),
                 (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
                 (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())) AS ours,
           (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database
             WHERE datname <> current_database()) AS others
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most connections that the processes of one deployment open, by kind of process."""

    web: int
    jobs: int
    commands: int
    formula: str

    @property
    def total(self) -> int:
        return self.web + self.jobs + self.commands

    @property
    def upgrade(self) -> int:
        """Return how many more may be open while `make upgrade` replaces processes.

        An old web server may still serve its last clients when the second worker starts.
        """
        return self.web + self.jobs


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of the comparison. ``problem`` is one line for an operator, or "" if there is none."""

    fits: bool
    problem: str


def budget(settings: Settings) -> Budget:
    """Return the most connections that web server, worker, reports and commands open."""
    web_process = settings.db_pool_size + settings.db_read_pool_size + VERSIONS
    job_process = JOB_POOL + JOB_READS + VERSIONS
    scrapes = 1 if settings.metrics_port else 0  # of the worker's own process, one at a time
    return Budget(
        web=settings.web_workers * web_process,
        jobs=settings.worker_concurrency * job_process + scrapes,
        commands=COMMANDS + REPORTS,
        formula=(
            f"WEB_WORKERS ({settings.web_workers}) x (DB_POOL_SIZE ({settings.db_pool_size}) + "
            f"DB_READ_POOL_SIZE ({settings.db_read_pool_size}) + {VERSIONS}) + "
            f"WORKER_CONCURRENCY ({settings.worker_concurrency}) x {job_process} + "
            f"{'1 for METRICS_PORT + ' if scrapes else ''}{COMMANDS + REPORTS} for commands and reports"
        ),
    )


def for_jobs(settings: Settings) -> Settings:
    """Return the same settings with the pool sizes of a job process."""
    return replace(settings, db_pool_size=JOB_POOL, db_read_pool_size=JOB_READS)


def check(settings: Settings, connection: psycopg.Connection[TupleRow], *, upgrading: bool = False) -> Verdict:
    """Compare the budget with what the server leaves to this role and database.

    ``upgrading``: with the connections of two web servers and two workers.
    """
    with connection.cursor() as cursor:
        row = cursor.execute(ROOM).fetchone()
    if row is None:
        raise LookupError("PostgreSQL returned no row")
    most, ours, others = row
    found = budget(settings)
    needed = found.total + (found.upgrade if upgrading else 0)
    more = f" + {found.upgrade} during an upgrade" if upgrading else ""
    way_out = f"Lower one of these settings, or raise max_connections (currently {most})."
    may_open = f"this deployment can open up to {needed} connections: {found.formula}{more}"
    if needed > ours:
        return Verdict(fits=False, problem=f"PostgreSQL allows {ours} connections, but {may_open}. {way_out}")
    if needed > ours - others:
        shared = f"other databases currently use {others} of them"
        problem = f"PostgreSQL allows {ours} connections, {shared}, but {may_open}. {way_out}"
        return Verdict(fits=True, problem=problem)
    return Verdict(fits=True, problem="")


def check_at(settings: Settings, *, upgrading: bool = False) -> Verdict:
    """Check the server of DATABASE_URL. An unreachable server is not reported here, nor is a pooler asked.

    A pooler opens as many connections as its own configuration says, whatever we open to it.
    """
    if not settings.database_url or settings.database_pooled:
        return Verdict(fits=True, problem="")
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5, autocommit=True) as connection:
            return check(settings, connection, upgrading=upgrading)
    except psycopg.OperationalError:
        return Verdict(fits=True, problem="")

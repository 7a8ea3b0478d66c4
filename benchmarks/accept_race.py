"""200 requests, 64 professionals who accept each of them at once; beside a psycopg loop of the same UPDATE."""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from time import perf_counter
from typing import Final

import psycopg
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.session import db, transaction
from backend.core.errors import DomainError
from backend.domain.task_requests import actions
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations.setup import upgrade
from backend.settings import Settings
from tests.factories.crowd import Crowd, gather
from tests.factories.tasks import make_task

PROFESSIONALS: Final = 64
REQUESTS: Final = 200
ROUNDS: Final = 4  # both take turns, so that what else the machine does falls on both
GOAL: Final = 0.6
SAME_UPDATE: Final = """
UPDATE task_requests
   SET status = 'accepted', professional_id = %(me)s, accepted_at = now(), version = version + 1,
       busy = tstzrange(date_of_request, date_of_request + make_interval(mins => time_required::integer))
 WHERE id = %(id)s AND status = 'requested' AND version = 1 RETURNING id
"""


@dataclass(frozen=True)
class Result:
    """Attempts a second of both, and who won."""

    figure: float
    baseline: float
    winners: int

    @property
    def ratio(self) -> float:
        return self.figure / self.baseline


def measure() -> Result:
    """Run both races on one server, by turns, on fresh requests each."""
    with tempfile.TemporaryDirectory(prefix="doorstep-race-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", parameters={"max_connections": str(4 * PROFESSIONALS)})
        url = server.start()
        try:
            return _race(url, folder)
        finally:
            server.stop()


def _race(url: str, folder: str) -> Result:
    app = create_app(
        Settings.from_env(
            {
                "ENV": "test",
                "SECRET_KEY": "only-for-figures-" * 4,
                "DATABASE_URL": url,
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "DATA_DIR": folder,
                "ADMIN_PASSWORD": "an admin's long password",
                "DB_POOL_SIZE": str(PROFESSIONALS),
                "LOG_LEVEL": "error",
            }
        )
    )
    with app.app_context():
        upgrade()
    bootstrap.run(app)
    with app.app_context():
        crowd = gather(task_id=make_task().id, professionals=PROFESSIONALS, requests=REQUESTS)
        baseline, figure = [], []
        winners = 0
        for number in range(ROUNDS):
            part = replace(crowd, request_ids=crowd.request_ids[number::ROUNDS])
            seconds, won = _timed(partial(_bare, url, part))
            baseline.append(seconds)
            if won != len(part.request_ids):
                raise SystemExit(f"the baseline had {won} winners")
            with transaction():
                db.session.execute(text(AFRESH), {"ids": part.request_ids})
            seconds, won = _timed(partial(_ours, app, part))
            figure.append(seconds)
            winners += won
        db.session.remove()
        db.engine.dispose()
    attempts = PROFESSIONALS * REQUESTS
    return Result(attempts / sum(figure), attempts / sum(baseline), winners)


AFRESH: Final = """
UPDATE task_requests SET status = 'requested', professional_id = NULL, accepted_at = NULL, busy = NULL, version = 1
 WHERE id = ANY(:ids)
"""


def _timed(work: Callable[[int], Iterable[bool]]) -> tuple[float, int]:
    """Run all professionals at once; return the seconds and how many won. Connections are opened before."""
    barrier, won = Barrier(PROFESSIONALS + 1), Counter[bool]()

    def run(place: int) -> None:
        attempts = iter(work(place))
        next(attempts)
        barrier.wait(timeout=60)
        won.update(attempts)

    threads = [Thread(target=run, args=(place,), daemon=True) for place in range(PROFESSIONALS)]
    for thread in threads:
        thread.start()
    barrier.wait(timeout=60)
    began = perf_counter()
    for thread in threads:
        thread.join()
    return perf_counter() - began, won[True]


def _bare(url: str, crowd: Crowd, place: int) -> Iterable[bool]:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        yield False
        for request_id in crowd.request_ids:
            row = connection.execute(SAME_UPDATE, {"id": request_id, "me": crowd.professionals[place].id}).fetchone()
            connection.commit()
            yield row is not None


def _ours(app: Flask, crowd: Crowd, place: int) -> Iterable[bool]:
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
        yield False
        for request_id in crowd.request_ids:
            try:
                with transaction():
                    actions.accept(crowd.professionals[place], request_id=request_id)
            except DomainError:
                yield False
            else:
                yield True
        db.session.remove()


def main() -> int:
    """Print figure, baseline, ratio and goal."""
    result = measure()
    print(f"accept race: {result.figure:,.0f} attempts/s, baseline {result.baseline:,.0f}, ", end="")
    print(f"ratio {result.ratio:.2f}, goal {GOAL}; {result.winners} winners of {REQUESTS}")
    return 0 if result.winners == REQUESTS else 1


if __name__ == "__main__":
    sys.exit(main())

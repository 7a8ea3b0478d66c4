"""`make bench-compare-work REF=commit`: jobs, mails, exports, accepting and sign-ins on this checkout and on a commit.

Each side runs in a process of its own, with servers of its own and the benchmarks of its own checkout. Both take turns,
five pairs of rounds, so that what else the machine does falls on both. A ratio below 1 means that this checkout does
less a second than the commit did.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROUNDS: Final = 5
LEAST: Final = 1 / 1.05
JOBS: Final = 1_000
MAILS: Final = 200
EXPORTED: Final = 300_000
SIGN_IN_SECONDS: Final = 4.0
Round = Callable[[], float]  # one measurement; returns how much was done a second


def _upgrade() -> None:
    """Migrate the current application's database; Flask-Migrate is not set up in each commit's application."""
    from importlib import import_module
    from importlib.util import find_spec

    is_earlier = find_spec("backend.migrations.setup") is None
    import_module("flask_migrate" if is_earlier else "backend.migrations.setup").upgrade()


@contextmanager
def jobs() -> Iterator[Round]:
    """Jobs that do nothing, a commit each, from commit to done."""
    import inspect

    from backend.app import create_app
    from backend.settings import Settings
    from benchmarks import jobs as bench

    bench.JOBS = JOBS  # type: ignore[misc]  # a round of its own length
    with tempfile.TemporaryDirectory() as folder, bench.servers_of(Path(folder)) as settings:
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            _upgrade()
            with bench._worker(["benchmarks.jobs", "ours"], settings):  # noqa: SLF001 - its name in any commit
                # Jobs could share a commit once; those that could not had a topic of their own.
                topics = ["bench.alone"] if inspect.signature(bench._timed).parameters else []  # noqa: SLF001 - its name in any commit
                yield lambda: bench._timed(*topics)  # noqa: SLF001 - its name in any commit


@contextmanager
def mails() -> Iterator[Round]:
    """Mails from commit to the mail server, by two job processes."""
    from time import perf_counter

    from backend.app import create_app
    from backend.settings import Settings
    from benchmarks import delivery
    from benchmarks.jobs import CONCURRENCY, servers_of

    with (
        tempfile.TemporaryDirectory() as folder,
        servers_of(Path(folder)) as settings,
        delivery._sink() as port,  # noqa: SLF001 - its name in any commit
    ):
        if "WORKER_CONCURRENCY" in Path(delivery.__file__).read_text(encoding="utf-8"):
            settings["WORKER_CONCURRENCY"] = str(CONCURRENCY + 1)  # one process takes no mails any more
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            _upgrade()
            account_id, rounds = delivery._someone(), count()  # noqa: SLF001 - its name in any commit

            def run() -> float:
                began = perf_counter()
                delivery._post(account_id, MAILS, f"round {next(rounds)} ")  # noqa: SLF001 - its name in any commit
                delivery._await(lambda: delivery._waiting() == 0)  # noqa: SLF001 - its name in any commit
                return MAILS / (perf_counter() - began)

            with delivery._worker({**settings, "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(port)}):  # noqa: SLF001 - its name in any commit
                yield run


@contextmanager
def export() -> Iterator[Round]:
    """Rows of a CSV export, as a worker runs its job."""

    from backend.app import create_app
    from backend.cli import bootstrap
    from backend.settings import Settings
    from benchmarks import export as bench
    from tests.factories import closed_requests as made

    bench._know_the_jobs()  # noqa: SLF001 - its name in any commit
    with tempfile.TemporaryDirectory() as folder, bench._servers(Path(folder)) as settings:  # noqa: SLF001 - its name in any commit
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            _upgrade()
        bootstrap.run(app)
        with app.app_context():
            made.many(made.market(), EXPORTED)
            bench._settle(settings["DATABASE_URL"])  # noqa: SLF001 - its name in any commit
            yield lambda: EXPORTED / bench._job()[0]  # noqa: SLF001 - its name in any commit


@contextmanager
def accept() -> Iterator[Round]:
    """Attempts of 64 professionals who accept the same requests at once."""
    from dataclasses import replace

    from backend.app import create_app
    from backend.cli import bootstrap
    from backend.launch.embedded import EmbeddedPostgres
    from backend.settings import Settings
    from benchmarks import accept_race, servers
    from tests.factories.crowd import gather
    from tests.factories.tasks import make_task

    with tempfile.TemporaryDirectory() as folder:
        most = str(4 * accept_race.PROFESSIONALS)
        server = EmbeddedPostgres(Path(folder) / "postgres", parameters={"max_connections": most})
        try:
            env = servers.environment(server.start(), "redis://127.0.0.1:1/0", Path(folder))
            app = create_app(Settings.from_env({**env, "ENV": "test", "DB_POOL_SIZE": str(accept_race.PROFESSIONALS)}))
            with app.app_context():
                _upgrade()
            bootstrap.run(app)
            with app.app_context():
                db = app.extensions["sqlalchemy"]  # its module differs between commits
                each = accept_race.REQUESTS
                crowd = gather(
                    task_id=make_task().id, professionals=accept_race.PROFESSIONALS, requests=(ROUNDS + 1) * each
                )
                starts = count(step=each)

                def run() -> float:
                    start = next(starts)
                    fresh = replace(crowd, request_ids=crowd.request_ids[start : start + each])
                    rate, won = accept_race._timed(lambda place: accept_race._ours(app, fresh, place))  # noqa: SLF001 - its name in any commit
                    if won != each:
                        raise SystemExit(f"{won} winners of {each}")
                    return rate

                yield run
                db.session.remove()
                db.engine.dispose()
        finally:
            server.stop()


@contextmanager
def sign_in() -> Iterator[Round]:
    """Sign-ins with the product's cost of a hash."""
    from benchmarks import load, search, servers
    from benchmarks import sign_in as bench

    with search.stand("small", **bench.SETTINGS) as ready:
        calls = [bench._post("/check", body) for body in bench._people(ready.app)]  # noqa: SLF001 - in any commit
        with servers.web("backend.wsgi:app", ready.env) as port:
            yield lambda: load.run(port, calls, seconds=SIGN_IN_SECONDS).rate


KINDS: Final[dict[str, Callable[[], AbstractContextManager[Round]]]] = {
    "jobs": jobs,
    "mails": mails,
    "export": export,
    "accept": accept,
    "sign-in": sign_in,
}
WORK: Final = {
    "jobs": "empty jobs, from commit to done",
    "mails": "mails, from commit to the mail server",
    "export": "rows of a CSV export",
    "accept": "attempts to accept the same requests",
    "sign-in": "sign-ins",
}


def serve(kind: str) -> None:
    """Set up this side, then measure once for each line on standard input."""
    with KINDS[kind]() as run:
        print("measured ready", flush=True)
        for _ in sys.stdin:
            print(f"measured {run()}", flush=True)


@contextmanager
def side(checkout: Path, kind: str, folder: Path) -> Iterator[Round]:
    """A checkout's side of one kind of work."""
    here = str(Path(__file__).resolve())  # an earlier commit need not have this file
    code = (
        f"import runpy, sys; sys.argv = ['compare', 'serve', {kind!r}]; runpy.run_path({here!r}, run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**os.environ, "BENCH_DIR": str(folder), "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said, asked = process.stdout, process.stdin

    def answer() -> str:
        for line in said:
            if line.startswith("measured "):
                return line.removeprefix("measured ").strip()
        raise RuntimeError(f"{kind} of {checkout} ended")

    def run() -> float:
        asked.write("again\n")
        asked.flush()
        return float(answer())

    try:
        answer()
        yield run
    finally:
        asked.close()
        process.wait(timeout=120)


def compare(ours: Round, theirs: Round) -> tuple[list[float], list[float]]:
    """Measure both by turns, after a round that does not count; return what each did a second, pair by pair."""
    ours(), theirs()
    rates: dict[Round, list[float]] = {ours: [], theirs: []}
    for number in range(ROUNDS):
        for each in (ours, theirs) if number % 2 else (theirs, ours):
            rates[each].append(each())
        print(f"  {rates[ours][-1]:,.1f} /s beside {rates[theirs][-1]:,.1f} /s", flush=True)
    return rates[ours], rates[theirs]


def _git(*arguments: str) -> str:
    command = [shutil.which("git") or "git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main(ref: str, kinds: Sequence[str]) -> int:
    """Compare this checkout with a commit, print and keep the figures; 1 when anything takes over 1.05 of the time."""
    from benchmarks import figures

    commit = _git("rev-parse", "--short", ref)
    is_fine = True
    with tempfile.TemporaryDirectory(prefix="doorstep-compare-") as temporary:
        earlier = Path(temporary) / "checkout"
        _git("worktree", "add", "--quiet", "--detach", str(earlier), ref)
        try:
            for kind in kinds or KINDS:
                with ExitStack() as stack:
                    theirs = stack.enter_context(side(earlier, kind, Path(temporary) / "before"))
                    ours = stack.enter_context(side(ROOT, kind, Path(temporary) / "now"))
                    now, before = compare(ours, theirs)
                ratios = [mine / other for mine, other in zip(now, before, strict=True)]
                figure = figures.Figure(
                    f"{WORK[kind]}, beside {commit}",
                    statistics.median(now),
                    statistics.median(before),
                    statistics.median(ratios),
                    round(LEAST, 2),
                    note=f"median of {ROUNDS} pairs by turns, {min(ratios):.2f} to {max(ratios):.2f}",
                )
                figures.show(figure)
                figures.keep([figure])
                is_fine = is_fine and figure.reached
        finally:
            _git("worktree", "remove", "--force", str(earlier))
    return 0 if is_fine else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "HEAD~1", sys.argv[2:]))

"""`make chaos`: random faults under load, then a check of everything that was acknowledged.

    make chaos ARGS="--minutes 5 --seed 7"
    make chaos ARGS="--faults 'web killed' 'disk full' --minutes 2"

Ends by itself, and with an error if there was a breach. ``--keep`` writes benchmarks/CHAOS.md.
"""

import argparse
import logging
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.chaos import results, state
from tests.chaos.checker import check
from tests.chaos.clients import Load
from tests.chaos.faults import FAULTS, Step, broken, schedule
from tests.chaos.fleet import Fleet, errors_in_logs
from tests.chaos.history import History, Window
from tests.chaos.settling import settle
from tests.waiting import wait_until

CALM_SECONDS: Final = 3.0  # between faults, in which no call may fail
MOST_SHOWN: Final = 8
# Whether everything is ready is asked with the admin's first access token; a soak run renews tokens.
ONE_TOKEN: Final = {"ACCESS_TOKEN_MINUTES": "1440"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once with each seed, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults, for each seed")
    parser.add_argument("--seed", type=int, nargs="+", default=[int(time.time()) % 100_000], help="a run for each")
    parser.add_argument("--faults", nargs="+", choices=[fault.name for fault in FAULTS], help="only these")
    parser.add_argument("--keep", action="store_true", help=f"write the result to {results.CHAOS.name}")
    given = parser.parse_args(arguments)
    if not results.programs_are_there("make chaos"):
        return 2
    logging.disable(logging.WARNING)
    outcomes = [run(seed, given.minutes * 60, names=given.faults) for seed in given.seed]
    if given.keep:
        results.keep(results.CHAOS, [outcome.row() for outcome in outcomes])
    return 1 if any(outcome.breaches for outcome in outcomes) else 0


def run(seed: int, seconds: float, *, names: Sequence[str] | None = None) -> results.Run:
    """Run faults for so many seconds, let everything settle, and check."""
    folder = Path(tempfile.mkdtemp(prefix="doorstep-chaos-"))
    print(f"seed {seed}, {seconds / 60:.1f} minutes; logs in {folder}", flush=True)
    history = History()
    with Fleet(folder, env="test", changes=ONE_TOKEN) as fleet:
        left_out = {fault.name: reason for fault in FAULTS if (reason := fault.missing(fleet))}
        chosen = [fault for fault in FAULTS if fault.name not in left_out and (not names or fault.name in names)]
        for name, reason in left_out.items():
            print(f"left out: {name} ({reason})")
        began = time.monotonic()
        with Load(fleet, history, seed) as load:
            _break_things(fleet, load, schedule(seed, chosen), began + seconds)
        took = time.monotonic() - began
        unsettled = settle(fleet)
        found = state.read(fleet.postgres.url, fleet.smtp.mails)
    repeated = sum(row.repeats(found.mails) for row in found.deliveries)
    breaches = [*check(history, found), *unsettled]
    outcome = results.Run(seed, took, history, breaches, repeated, sorted(left_out))
    _report(outcome, load.visits, folder, command=_command(seed, seconds, names))
    return outcome


def _break_things(fleet: Fleet, load: Load, steps: Iterator[Step], until: float) -> None:
    """Break, heal, wait until everything is ready, and leave it alone for a while; again and again."""
    began = time.monotonic()
    while time.monotonic() < until:
        time.sleep(CALM_SECONDS)
        load.check_clients()
        step = next(steps)
        window = Window(step.fault.name, step.fault.fails, time.monotonic())
        load.history.windows.append(window)
        with broken(fleet, step):
            time.sleep(step.seconds)
        window.healed = time.monotonic()
        if wait_until(fleet.is_ready, pause=0.3):
            window.ready_after = time.monotonic() - window.healed
        window.until = time.monotonic()
        at, ready = window.began - began, window.ready_after or float("inf")
        print(f"{at:7.1f} s  {step.fault.name:26} for {step.seconds:4.1f} s, ready {ready:4.1f} s later", flush=True)
    time.sleep(CALM_SECONDS)


def _command(seed: int, seconds: float, names: Sequence[str] | None) -> str:
    """Return the command that repeats a run: the order of the faults depends on which of them are chosen."""
    faults = f" --faults {shlex.join(names)}" if names else ""
    return f'make chaos ARGS="--seed {seed} --minutes {seconds / 60:g}{faults}"'


def _report(outcome: results.Run, visits: int, folder: Path, *, command: str) -> None:
    """Print what was found, and the verdict."""
    statuses = Counter((call.kind.value, call.status) for call in outcome.history.calls)
    print("calls:", ", ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(statuses.items())))
    print(
        f"{visits} visits; {outcome.repeated_mails} mails repeated; errors in logs: {errors_in_logs(folder) or 'none'}"
    )
    for kind, count in Counter(breach.kind for breach in outcome.breaches).items():
        shown = [breach.what for breach in outcome.breaches if breach.kind == kind][:MOST_SHOWN]
        print(f"BREACHES of kind {kind}: {count}", *shown, sep="\n  ")
    print(f"{outcome.verdict}: {command}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

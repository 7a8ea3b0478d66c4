"""`make soak`: mixed load for a long time without faults; nothing may grow, and no call may fail.

    make soak                        # 30 minutes
    make soak ARGS="--minutes 120"
    make soak ARGS="--keep"          # write benchmarks/SOAK.md

The first third is the warm-up, in which caches and pools fill; growth is measured after it, by linear regression.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.chaos import results, state
from tests.chaos.checker import check
from tests.chaos.clients import Load
from tests.chaos.fleet import Fleet, errors_in_logs
from tests.chaos.history import History
from tests.chaos.samples import LIMITS, Samples, Series, grows, rise
from tests.chaos.settling import settle

SAMPLE_SECONDS: Final = 10.0
NOTHING: Final = "Nothing grows beyond its limit, and every acknowledged write is there once."
PAUSE_SECONDS: Final = 0.5  # of a client between two visits: load like on a working day, not a race


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--keep", action="store_true", help=f"write the result to {results.SOAK.name}")
    given = parser.parse_args(arguments)
    if not results.programs_are_there("make soak"):
        return 2
    logging.disable(logging.WARNING)
    seconds = given.minutes * 60
    folder = Path(tempfile.mkdtemp(prefix="doorstep-soak-"))
    print(f"{given.minutes:.0f} minutes; logs in {folder}", flush=True)
    history, samples = History(), Samples()
    with Fleet(folder, env="development", fills=False) as fleet:
        samples.began = time.monotonic()
        with Load(fleet, history, seed=1, pause=PAUSE_SECONDS) as load:
            while (left := seconds - (time.monotonic() - samples.began)) > 0:
                time.sleep(min(SAMPLE_SECONDS, left))
                load.check_clients()
                samples.take(fleet.running(), fleet.postgres.url, fleet.valkey.url)
        unsettled = settle(fleet)
        found = state.read(fleet.postgres.url, fleet.smtp.mails)
    kept = list(samples.kept(warm_up=seconds / 3, until=seconds))
    wrong = [*grows(kept), *(f"{breach.kind}: {breach.what}" for breach in (*check(history, found), *unsettled))]
    _report(history, kept, wrong, folder)
    if given.keep:
        results.keep(results.SOAK, [_row(*each) for each in kept if _is_shown(*each)], *_notes(history, seconds, wrong))
    return 1 if wrong else 0


def _report(history: History, kept: Sequence[tuple[str, str, Series]], wrong: Sequence[str], folder: Path) -> None:
    for each in kept:
        if _is_shown(*each):
            print(" ".join(f"{cell:>14}" for cell in _row(*each)))
    statuses = Counter((call.kind.value, call.status) for call in history.calls)
    print("calls:", ", ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(statuses.items())))
    print(f"errors in logs: {errors_in_logs(folder) or 'none'}")
    for line in wrong:
        print(f"WRONG {line}")
    print("nothing grows, no call failed" if not wrong else f"{len(wrong)} findings", flush=True)


def _row(measure: str, name: str, series: Series) -> tuple[str, ...]:
    limit, values = LIMITS[measure], [value for _, value in series]
    shown = " ".join(part for part in name.split() if not part.isdigit())
    figures = (f"{values[0]:.1f}", f"{values[-1]:.1f}", f"{max(values):.1f}", f"{rise(series, limit):+.1f}")
    return (measure, shown, *figures, f"{limit.rise:g} {limit.unit}")


def _is_shown(measure: str, _: str, series: Series) -> bool:
    """Leave out the many tables that hardly change."""
    return measure != "dead rows" or max(value for _, value in series) > LIMITS[measure].rise / 10


def _notes(history: History, seconds: float, wrong: Sequence[str]) -> list[str]:
    failed = sum(call.has_failed for call in history.calls)
    minutes, warm_up, calls = seconds / 60, seconds / 180, len(history.calls)
    said = f"{minutes:.0f} minutes, the first {warm_up:.0f} of them warm-up; {calls:,} calls, {failed} failed; "
    return [said + f"longest call {history.longest_call():.1f} s.\n", *([f"- {line}" for line in wrong] or [NOTHING])]


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: every figure beside its baseline; `make bench ARGS="search-cached ..."` for some."""

import sys
from collections.abc import Callable, Iterable
from typing import Final

from benchmarks import (
    accept_race,
    capacity,
    create,
    dashboard,
    delivery,
    events,
    export,
    figures,
    growth,
    idle,
    jobs,
    lanes,
    lists,
    reminders,
    reports,
    search,
    sign_in,
)
from benchmarks.figures import Figure


def _create() -> Iterable[Figure]:
    yield create.measure()


def _accept_race() -> Iterable[Figure]:
    result = accept_race.measure()
    note = f"{result.winners} winners of {accept_race.REQUESTS}"
    yield Figure("accept race", result.figure, result.baseline, result.ratio, accept_race.GOAL, note=note)


ALL: Final[dict[str, Callable[[], Iterable[Figure]]]] = {
    "search-cached": search.cached,
    "search-uncached": search.uncached,
    "search-growth": lists.growth,
    "lists": lists.lists,
    "create": _create,
    "accept-race": _accept_race,
    "export": export.measure,
    "lanes": lanes.measure,
    "reports": reports.measure,
    "dashboard": dashboard.measure,
    "jobs": jobs.measure,
    "reminders": reminders.measure,
    "mails": delivery.measure,
    "sign-in": sign_in.measure,
    "events": events.measure,
    "growth": growth.measure,
    "idle": idle.measure,
}


def main(names: list[str]) -> int:
    """Measure, print as it comes, keep in RESULTS.md (and scaling.md), and print what became slower than before."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    figures.run(figure for name in names or ALL for figure in ALL[name]())
    return capacity.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

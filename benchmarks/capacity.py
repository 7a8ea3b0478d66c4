"""How many machines a market needs: `python -m benchmarks.capacity` adds up RESULTS.md in docs/explanation/scaling.md.

What was measured comes from RESULTS.md, what is assumed about people stands below, and the page shows both.
"""

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.core.db import connection_budget
from backend.settings import Settings
from benchmarks.figures import RESULTS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "scaling.md"
BLOCK: Final = re.compile(r"(<!-- capacity: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
DAY_SECONDS: Final = 86_400
MEBI: Final = 1 << 20
GB: Final = 1e9


@dataclass(frozen=True, slots=True)
class Market:
    """A market by the people who live there."""

    name: str
    people: int
    web_cores: int  # of one web machine
    database_cores: int
    database_memory_gb: int


MARKETS: Final = (
    Market("town of 100,000", 100_000, 2, 2, 8),
    Market("city of 1 million", 1_000_000, 4, 4, 16),
    Market("city of 10 million", 10_000_000, 8, 16, 64),
)

# Assumed about people, for a market that a good part of the city uses.
ACTIVE_A_DAY: Final = 0.036  # share of the people who open it: 30 in 1,000 as customers, 6 as professionals
CALLS_A_USER: Final = 35  # a day; live updates replace repeated reads
REQUESTS_A_DAY: Final = 0.004  # for each person who lives there
MONTHLY_CUSTOMERS: Final = 0.12
PEAK_HOUR: Final = 0.12  # share of a day's calls
PEAK_SECOND: Final = 2.5  # times the average of the peak hour
STREAMS: Final = 0.2  # share of the day's users whose page is open at the peak
SPARSE: Final = 1.3  # rows written one by one fill pages less than rows that were copied
BUSY: Final = 0.5  # a core is planned to be used to this share at the peak second
MAIL_SECONDS: Final = 0.1  # until a real mail server has accepted one
BURST_MINUTES: Final = 60  # in which the daily reminders should be sent
MIX: Final[Mapping[str, float]] = {
    "GET /requests?limit=50": 0.35,
    "GET /notifications?limit=20": 0.20,
    "GET /me": 0.15,
    "GET /search, cached": 0.20,
    "GET /search, not cached": 0.07,
}
WRITES: Final = 0.03  # the rest

ONCE: Final[Mapping[str, float]] = {"task_requests": 1.0, "reviews": 0.3}  # rows a request, by what people do

# What a row of these tables is made by, and for how many days it is kept (None: permanently).
KEPT: Final[Mapping[str, int | None]] = {
    "task_requests": None, "request_events": None, "reviews": None, "monthly_reports": None,
    "notifications": 400, "deliveries": 400, "delivery_attempts": 400, "jobs": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure of RESULTS.md with its baseline."""

    figure: float
    baseline: float | None


def measured() -> dict[str, Kept]:
    """Return the figures of RESULTS.md by work."""
    found = {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) > 2 and (figure := _number(cells[1])) is not None:
            found[cells[0]] = Kept(figure, _number(cells[2]))
    return found


def _number(cell: str) -> float | None:
    match = re.match(r"[\d.,]+(e[+-]\d+)?", cell)
    return float(match[0].replace(",", "")) if match else None


@dataclass(frozen=True, slots=True)
class Need:
    """What one market needs at its peak."""

    market: Market
    calls_a_second: float
    web_cores: float
    database_cores: float
    web_machines: int
    mails_a_second: float
    job_processes: int
    streams: int
    stream_processes: int
    stream_memory_gb: float
    client_connections: int
    gb_a_year: float
    standing_gb: float

    @property
    def database_machines(self) -> int:
        return 1 if self.market.people <= 100_000 else 3


class Model:
    """Adds measured costs up."""

    def __init__(self, kept: Mapping[str, Kept]) -> None:
        self.kept = kept
        create = self._of("creating a request")
        # One client waited for each: nearly all of that time was CPU, of which the plain statements are the database's.
        write = {"web": 1000 / create.figure, "database": 1000 / (create.baseline or create.figure)}
        self.web_ms = WRITES * (write["web"] - write["database"])
        self.database_ms = WRITES * write["database"]
        for call, share in MIX.items():
            cost = self._of(f"CPU of a call: {call}")
            self.web_ms += share * cost.figure
            self.database_ms += share * (cost.baseline or 0.0)
        self.mails_a_process = 1 / (2 / self._of("mails, from commit to the mail server").figure + MAIL_SECONDS)

    def _of(self, work: str) -> Kept:
        if work not in self.kept:
            raise LookupError(f"RESULTS.md has no figure {work!r}: run make bench")
        return self.kept[work]

    def rows_a_request(self, table: str) -> float:
        """Return how many rows of a table one request makes."""
        if table in ONCE:
            return ONCE[table]
        counted = "deliveries" if table == "delivery_attempts" else table  # most succeed at the first attempt
        return self._of(f"rows a request: {counted}").figure

    def bytes_a_row(self, table: str) -> float:
        """Return how many bytes a row takes, indexes included."""
        return self._of(f"bytes a row: {table}").figure * SPARSE

    def rows_a_day(self, table: str, market: Market) -> float:
        """Return how many rows of a table one day makes."""
        if table == "monthly_reports":
            return market.people * MONTHLY_CUSTOMERS * 12 / 365
        reminders = market.people * REQUESTS_A_DAY * 2  # to both sides
        extra = reminders if table in ("notifications", "deliveries", "delivery_attempts", "jobs") else 0.0
        return market.people * REQUESTS_A_DAY * self.rows_a_request(table) + extra

    def need(self, market: Market) -> Need:
        """Return what a market needs."""
        calls = market.people * ACTIVE_A_DAY * CALLS_A_USER * PEAK_HOUR / 3600 * PEAK_SECOND
        web_cores = calls * self.web_ms / 1000 / BUSY
        database_cores = calls * self.database_ms / 1000 / BUSY
        by_request = market.people * REQUESTS_A_DAY * self.rows_a_request("deliveries") * PEAK_HOUR / 3600 * PEAK_SECOND
        reminders = market.people * REQUESTS_A_DAY * 2 / (BURST_MINUTES * 60)
        mails = by_request + reminders
        jobs = max(3, math.ceil(mails / self.mails_a_process / BUSY))
        machines = math.ceil(web_cores / market.web_cores) + 1
        streams = int(market.people * ACTIVE_A_DAY * STREAMS)
        stream = self._of("live updates: an open stream").figure * 1024
        idle = self._of("live updates: idle process").figure * MEBI
        held = Settings.from_env({}).events_streams
        processes = math.ceil(streams / held) + 1
        one = connection_budget.budget(
            Settings.from_env({"WEB_WORKERS": str(market.web_cores), "WORKER_CONCURRENCY": "1"})
        )
        sizes = {table: self.rows_a_day(table, market) * self.bytes_a_row(table) for table in KEPT}
        forever = sum(size * 365 for table, size in sizes.items() if KEPT[table] is None)
        standing = sum(size * days for table, size in sizes.items() if (days := KEPT[table]) is not None)
        return Need(
            market, calls, web_cores, database_cores, machines, mails, jobs, streams, processes,
            (streams * stream + processes * idle) / GB, machines * one.web + jobs * one.jobs,
            forever / GB, standing / GB,
        )  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _round(value: float) -> str:
    """Return two significant digits, which is more than the assumptions allow."""
    if value >= 10:
        digits = 1 - math.floor(math.log10(value))
        return f"{round(value, digits):,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _blocks(model: Model) -> Iterator[tuple[str, str]]:
    needs = [model.need(market) for market in MARKETS]
    head = ["", *(f"a {need.market.name}" for need in needs)]

    def row(name: str, *values: str) -> list[str]:
        return [name, *values]

    yield "machines", _table(head, [
        row("calls in the peak second", *(_round(need.calls_a_second) for need in needs)),
        row("cores of web servers, planned to be half used", *(_round(need.web_cores) for need in needs)),
        row("cores of PostgreSQL, planned to be half used", *(_round(need.database_cores) for need in needs)),
        row("web machines, one of them a spare", *(
            f"{need.web_machines} x {need.market.web_cores} cores" for need in needs
        )),
        row("database machines", *(
            f"{need.database_machines} x {need.market.database_cores} cores, {need.market.database_memory_gb} GB"
            for need in needs
        )),
        row("emails in the peak second", *(_round(need.mails_a_second) for need in needs)),
        row("worker processes (`WORKER_CONCURRENCY` of all together)", *(f"{need.job_processes}" for need in needs)),
        row("open streams of live updates", *(f"{need.streams:,}" for need in needs)),
        row("processes of live updates, one of them a spare", *(f"{need.stream_processes}" for need in needs)),
        row("memory of the live updates", *(f"{_round(need.stream_memory_gb)} GB" for need in needs)),
        row("connections to PgBouncer, at most", *(f"{need.client_connections:,}" for need in needs)),
        row("disk kept permanently, each year", *(f"{_round(need.gb_a_year)} GB" for need in needs)),
        row("disk of what is deleted later", *(f"{_round(need.standing_gb)} GB" for need in needs)),
    ])  # fmt: skip
    largest = MARKETS[-1]
    yield (
        "rows",
        _table(
            ["table", "rows a request", "bytes a row", f"rows a year, {largest.name}", "GB a year", "kept"],
            [
                [
                    table,
                    "-" if table == "monthly_reports" else f"{model.rows_a_request(table):.2g}",
                    f"{model.bytes_a_row(table):,.0f}",
                    f"{_round(model.rows_a_day(table, largest) * 365 / 1e6)} million",
                    _round(model.rows_a_day(table, largest) * 365 * model.bytes_a_row(table) / GB),
                    "permanently" if days is None else f"{days} days",
                ]
                for table, days in KEPT.items()
            ],
        ),
    )
    yield (
        "calls",
        _table(
            ["call", "share", "web server, ms of CPU", "PostgreSQL, ms of CPU"],
            [
                [call, f"{share:.0%}", f"{cost.figure:.2f}", f"{cost.baseline or 0:.2f}"]
                for call, share in MIX.items()
                for cost in [model.kept[f"CPU of a call: {call}"]]
            ]
            + [["all, writes included", "100%", f"{model.web_ms:.2f}", f"{model.database_ms:.2f}"]],
        ),
    )
    city = needs[-1]
    kept = model.kept
    reports = kept["monthly reports"].figure / 50_000 * MARKETS[-1].people * MONTHLY_CUSTOMERS
    sending = largest.people * MONTHLY_CUSTOMERS / (city.job_processes * model.mails_a_process)
    reminders = kept["daily reminders, large: fan-out"].figure / 100_000 * MARKETS[-1].people * REQUESTS_A_DAY
    yield (
        "batches",
        _table(
            ["work", f"in a {largest.name}", "takes"],
            [
                [
                    "daily reminders, written",
                    f"{largest.people * REQUESTS_A_DAY:,.0f} requests",
                    f"{_round(reminders)} s",
                ],
                [
                    "monthly reports, written",
                    f"{largest.people * MONTHLY_CUSTOMERS / 1e6:.1f} million customers",
                    f"{_round(reports / 60)} minutes",
                ],
                [
                    "monthly reports, sent",
                    "the same",
                    f"{_round(sending / 3600)} hours",
                ],
                [
                    "export of a year's requests",
                    f"{largest.people * REQUESTS_A_DAY * 365 / 1e6:.1f} million rows",
                    f"{_round(kept['CSV export'].figure * largest.people * REQUESTS_A_DAY * 365 / 1e6 / 60)} minutes",
                ],
            ],
        ),
    )


def filled(text: str) -> str:
    """Return the page with current tables."""
    blocks = dict(_blocks(Model(measured())))
    names = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(names) != sorted(blocks):
        raise LookupError(f"the page has the tables {names}, not {sorted(blocks)}")
    return BLOCK.sub(lambda found: found[1] + blocks[found[2]] + found[3], text)


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

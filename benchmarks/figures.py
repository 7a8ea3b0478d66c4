"""A figure beside its baseline and its goal, and the page that keeps the last run's."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).resolve().parent / "RESULTS.md"
SLOWER_BY: Final = 1.1
RATIO: Final = 3  # its place in a row
ROUNDED_BY: Final = 0.005  # a kept ratio has two decimals
WORSE: Final = "Worse than the last kept ratio by more than a tenth:"
NOTHING_WORSE: Final = "No ratio is worse than the last kept one by more than a tenth."
HEAD: Final = "| work | figure | baseline | ratio | goal | reached | note |\n|---|---|---|---|---|---|---|\n"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. ``at_most``: the ratio (without a baseline, the figure) should not be above the goal."""

    work: str
    figure: float
    baseline: float | None
    ratio: float | None
    goal: float
    unit: str = "/s"
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        held = self.figure if self.ratio is None else self.ratio
        return held <= self.goal if self.at_most else held >= self.goal

    def cells(self) -> list[str]:
        """The row of the table."""
        goal = f"{'at most ' if self.at_most else ''}{self.goal:g}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        numbers = [_number(self.figure, self.unit), _number(self.baseline, self.unit), ratio]
        return [self.work, *numbers, goal, "yes" if self.reached else "no", self.note]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def run(measured: Iterable[Figure]) -> None:
    """Print and keep figures as they come; at the end, print which ratios are worse than the kept ones."""
    before = kept_ratios()
    worse = []
    for figure in measured:
        show(figure)
        keep([figure])
        if slower(figure, than=before.get(figure.work)):
            worse.append(f"  {figure.work}: ratio {figure.ratio:.2f}, it was {before[figure.work]:.2f}")
    print("\n".join([WORSE, *worse]) if worse else NOTHING_WORSE)


def show(figure: Figure) -> None:
    """Print a figure as it comes."""
    work, value, baseline, ratio, goal, reached, note = figure.cells()
    beside = f", baseline {baseline}, ratio {ratio}" if baseline else ""
    print(f"{work}: {value}{beside}, goal {goal}, reached: {reached}. {note}", flush=True)


def kept_ratios() -> dict[str, float]:
    """Return the ratio of each work in RESULTS.md that has one."""
    cells = {work: line.split(" | ") for work, line in _kept().items()}
    return {work: float(row[RATIO]) for work, row in cells.items() if row[RATIO].strip()}


def slower(figure: Figure, *, than: float | None) -> bool:
    """Return whether the ratio is worse than a kept one by more than a tenth.

    Absolute figures are not compared: they depend on what else the machine does, and a baseline of the same run does
    too.
    """
    if figure.ratio is None or than is None:
        return False
    if figure.at_most:
        return figure.ratio > (than + ROUNDED_BY) * SLOWER_BY
    return figure.ratio < (than - ROUNDED_BY) / SLOWER_BY


def keep(figures: Iterable[Figure]) -> None:
    """Put these figures into RESULTS.md; rows of work that was not measured this time stay."""
    rows = _kept()
    stamp = f"{datetime.now(UTC):%Y-%m-%d}"
    for figure in figures:
        rows[figure.work] = "| " + " | ".join([*figure.cells()[:-1], f"{figure.note} ({stamp})".strip()]) + " |"
    about = (
        "# Results\n\nWritten by `make bench`. Every figure stands beside a baseline of the same run: absolute ones"
        f" mean nothing on a shared machine ({os.cpu_count()} cores, Python {platform.python_version()}).\n\n"
    )
    RESULTS.write_text(about + HEAD + "\n".join(rows.values()) + "\n", encoding="utf-8")


def _kept() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    lines = [line for line in RESULTS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines[1:]}

"""Which days the dashboard looks at, and in what steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from backend.core.spans import Edge, Span, between

DAYS_BY_DEFAULT: Final = 30
DAYS_SHOWN_ONE_BY_ONE: Final = 184  # half a year: a chart of more bars is a haze of hairlines


@dataclass(frozen=True, slots=True)
class Window:
    """The span, its first and last day in the market's zone, and the step of its series: day or month."""

    span: Span
    first: date
    last: date

    @property
    def step(self) -> str:
        return "day" if (self.last - self.first).days < DAYS_SHOWN_ONE_BY_ONE else "month"

    def steps(self) -> Iterator[date]:
        """Every step of the series, those without a figure too."""
        day = self.first if self.step == "day" else self.first.replace(day=1)
        while day <= self.last:
            yield day
            day = (
                day + timedelta(days=1)
                if self.step == "day"
                else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            )

    def moments(self, zone: ZoneInfo) -> list[datetime]:
        """When each step begins in the market's zone, whatever the clocks do."""
        return [datetime.combine(day, time.min, tzinfo=zone) for day in self.steps()]


def window(first: Edge | None, last: Edge | None, *, now: datetime, zone: ZoneInfo) -> Window:
    """The last thirty days unless said otherwise. Raises Invalid when it ends before it begins."""
    end: Edge = last if last is not None else max(now.astimezone(zone).date(), _day(first or now, zone))
    begin: Edge = first if first is not None else _day(end, zone) - timedelta(days=DAYS_BY_DEFAULT - 1)
    return Window(between(begin, end, zone=zone), _day(begin, zone), _day(end, zone))


def _day(edge: Edge, zone: ZoneInfo) -> date:
    return edge.astimezone(zone).date() if isinstance(edge, datetime) else edge

"""Calendar months in the marketplace's time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import DateRange, day_start

WRITTEN: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month."""

    year: int
    number: int

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Return the month written as ``2026-10``, or None."""
        found = WRITTEN.fullmatch(written) if written.isascii() else None
        return cls(int(found[1]), int(found[2])) if found else None

    @classmethod
    def of(cls, time: datetime, zone: ZoneInfo) -> Self:
        """Return the month that contains a time."""
        there = time.astimezone(zone)
        return cls(there.year, there.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def dates(self, zone: ZoneInfo) -> DateRange:
        """Return the range from the start of the month to the start of the next, in the zone."""
        return DateRange(day_start(self.first_day, zone), day_start(self.next.first_day, zone))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def running() -> Month:
    """Return the current month in the marketplace's time zone."""
    return Month.of(now(), current_settings().zone)

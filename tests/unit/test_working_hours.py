"""Working hours across midnight, ends of months and clock changes."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from backend.core.db.date_range import date_range
from backend.core.errors import Invalid
from backend.domain.scheduling.working_hours import Hours, check_ranges, end_of, time_of

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # Sundays of 23 and 25 hours in Berlin
NIGHT = Hours(BERLIN, (0, 1440), weekly={5: [(22 * 60, 1440)], 6: [(0, 6 * 60)]})


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold)  # type: ignore[arg-type,misc]  # year to minute


def test_intervals_that_meet_at_midnight_are_merged() -> None:
    (span,) = NIGHT.intervals(date(2026, 3, 21), date(2026, 3, 22))
    assert span == (datetime(2026, 3, 21, 21, tzinfo=UTC), datetime(2026, 3, 22, 5, tzinfo=UTC))
    assert NIGHT.covers(berlin(2026, 3, 21, 23, 30), berlin(2026, 3, 22, 0, 30))
    assert not NIGHT.covers(berlin(2026, 3, 22, 5, 30), berlin(2026, 3, 22, 6, 30))


def test_intervals_of_night_follow_clock_changes() -> None:
    (spring,) = NIGHT.intervals(date(2026, 3, 28), SPRING)
    (autumn,) = NIGHT.intervals(date(2026, 10, 24), AUTUMN)
    assert [(span[1] - span[0]).total_seconds() / 3600 for span in (spring, autumn)] == [7, 9]


def test_end_of_adds_elapsed_time_across_clock_changes() -> None:
    start = berlin(2026, 10, 25, 2, 30)
    assert end_of(start, 60) == berlin(2026, 10, 25, 2, 30, fold=1).astimezone(UTC)
    assert end_of(berlin(2026, 3, 29, 1, 30), 60) == berlin(2026, 3, 29, 3, 30).astimezone(UTC)


def test_date_range_of_day_spans_local_midnights() -> None:
    for day, hours in ((SPRING, 23), (AUTUMN, 25), (date(2026, 10, 26), 24)):
        length = time_of(day, 1440, BERLIN) - time_of(day, 0, BERLIN)
        assert length.total_seconds() == hours * 3600
        span = date_range(day, day, zone=BERLIN)
        assert span.starts is not None
        assert span.ends is not None
        assert (span.ends - span.starts).total_seconds() == hours * 3600


def test_date_range_of_month_ends_where_next_starts() -> None:
    december = date_range(date(2026, 12, 1), date(2026, 12, 31), zone=KOLKATA)
    january = date_range(date(2027, 1, 1), None, zone=KOLKATA)
    assert december.ends == january.starts == datetime(2026, 12, 31, 18, 30, tzinfo=UTC)


def test_hours_exceptions_precede_weekly_and_weekly_precede_default() -> None:
    hours = Hours(KOLKATA, (480, 1200), weekly={0: [(540, 720)]}, days={date(2026, 12, 7): []})
    assert hours.on(date(2026, 12, 14)) == [(540, 720)]
    assert hours.on(date(2026, 12, 7)) == []
    assert hours.on(date(2026, 12, 15)) == ()
    assert Hours(KOLKATA, (480, 1200)).on(date(2026, 12, 15)) == ((480, 1200),)


@pytest.mark.parametrize("spans", [[(60, 60)], [(120, 60)], [(0, 1441)], [(0, 100), (99, 200)]])
def test_check_ranges_with_empty_or_overlapping_ranges_is_rejected(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(Invalid):
        check_ranges("weekly", spans)

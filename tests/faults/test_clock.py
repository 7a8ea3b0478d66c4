"""The schedule in Berlin across clock changes and the end of a year, with interruptions of the beats."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from backend.core.db.session import db, transaction
from backend.core.queue import JobRun
from backend.core.security.authz import Role
from backend.domain.market.models import MarketSetting
from backend.domain.notifications.models import Delivery
from backend.domain.reports.models import MonthlyReport
from backend.jobs import schedule
from tests.factories import closed_requests as made
from tests.factories.jobs import work

BERLIN = ZoneInfo("Europe/Berlin")
STEP = timedelta(minutes=20)

pytestmark = pytest.mark.faults


@pytest.fixture
def berlin(app: Flask) -> Iterator[Flask]:
    """Schedule reminders at 02:30, a time that is skipped in March and repeated in October."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, market_timezone="Europe/Berlin")
    with transaction():
        db.session.add(MarketSetting(name="reminder_at", value="02:30"))
    yield app
    app.extensions["settings"] = before


def berlin_time(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=BERLIN).astimezone(UTC)


def tick_between(first: str, last: str, *, down: tuple[str, str] | None = None) -> None:
    """Let two beats tick in every step, except while both are down."""
    moment = berlin_time(first)
    while moment < berlin_time(last):
        if down is None or not berlin_time(down[0]) <= moment < berlin_time(down[1]):
            with time_machine.travel(moment, tick=False):
                schedule.tick()
                schedule.tick()
        moment += STEP


def periods(name: str) -> list[str]:
    found = db.session.execute(select(JobRun.period).where(JobRun.name == name).order_by(JobRun.id))
    return list(found.scalars())


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2027-03-27T12:00", "2027-03-30T12:00", ["2027-03-28", "2027-03-29", "2027-03-30"]),
        ("2027-10-30T12:00", "2027-11-01T12:00", ["2027-10-31", "2027-11-01"]),
        ("2027-12-30T12:00", "2028-01-01T12:00", ["2027-12-31", "2028-01-01"]),
    ],
)
@pytest.mark.parametrize("down_hours", [0, 3])
def test_daily_schedule_across_clock_changes_runs_once_a_day(
    berlin: Flask, first: str, last: str, days: list[str], down_hours: int
) -> None:
    begin = f"{days[0]}T02:00"
    end = (datetime.fromisoformat(begin) + timedelta(hours=down_hours)).isoformat()
    tick_between(first, last, down=(begin, end))
    assert periods("daily-reminders") == days


def test_daily_schedule_after_long_interruption_skips_the_night(berlin: Flask) -> None:
    down = ("2027-03-28T01:00", "2027-03-28T18:00")
    tick_between("2027-03-27T12:00", "2027-03-29T12:00", down=down)
    assert periods("daily-reminders") == ["2027-03-29"]


def test_monthly_report_covers_local_month_with_clock_change(berlin: Flask) -> None:
    """October has 745 hours in Berlin; beats that are down over the first of November send it on the second."""
    of = made.Market(made.account(Role.CUSTOMER), made.professional(), made.task())
    for moment in ("2027-09-30T23:59", "2027-10-01T00:00", "2027-10-31T23:59", "2027-11-01T00:00"):
        made.request(of, at=berlin_time(moment), created_at=berlin_time("2027-09-01T00:00"))
    tick_between("2027-10-31T12:00", "2027-11-03T00:00", down=("2027-10-31T23:00", "2027-11-02T10:00"))
    assert periods("monthly-reports")[-1:] == ["2027-11"]
    with time_machine.travel(berlin_time("2027-11-02T11:00"), tick=True):
        work()
    found = {report.month.isoformat(): report.figures["closed"] for report in db.session.scalars(select(MonthlyReport))}
    assert found["2027-10-01"] == 2
    sent = db.session.scalars(select(Delivery.subject).where(Delivery.kind == "report")).all()
    assert sorted(sent) == sorted(set(sent))

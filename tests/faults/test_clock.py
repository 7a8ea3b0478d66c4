"""A market in Berlin through two changes of the clocks and a year's end, its beats down now and then."""

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
    """Reminders go out at half past two, an hour that a night in March lacks and one in October has twice."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, market_timezone="Europe/Berlin")
    with transaction():
        db.session.add(MarketSetting(name="reminder_at", value="02:30"))
    yield app
    app.extensions["settings"] = before


def there(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=BERLIN).astimezone(UTC)


def live_through(first: str, last: str, *, down: tuple[str, str] | None = None) -> None:
    """Two beats tick all the time, but for a while in which none does."""
    moment = there(first)
    while moment < there(last):
        if down is None or not there(down[0]) <= moment < there(down[1]):
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
def test_each_day_once(berlin: Flask, first: str, last: str, days: list[str], down_hours: int) -> None:
    begin = f"{days[0]}T02:00"
    end = (datetime.fromisoformat(begin) + timedelta(hours=down_hours)).isoformat()
    live_through(first, last, down=(begin, end))
    assert periods("daily-reminders") == days


def test_beats_down_for_longer_leave_a_night_in_peace(berlin: Flask) -> None:
    down = ("2027-03-28T01:00", "2027-03-28T18:00")
    live_through("2027-03-27T12:00", "2027-03-29T12:00", down=down)
    assert periods("daily-reminders") == ["2027-03-29"]


def test_a_months_report_ends_where_the_month_does_there(berlin: Flask) -> None:
    """October has 745 hours in Berlin; beats that are down over the first of November send it on the second."""
    of = made.Market(made.account(Role.CUSTOMER), made.professional(), made.task())
    for moment in ("2027-09-30T23:59", "2027-10-01T00:00", "2027-10-31T23:59", "2027-11-01T00:00"):
        made.request(of, at=there(moment), created_at=there("2027-09-01T00:00"))
    live_through("2027-10-31T12:00", "2027-11-03T00:00", down=("2027-10-31T23:00", "2027-11-02T10:00"))
    assert periods("monthly-reports")[-1:] == ["2027-11"]
    with time_machine.travel(there("2027-11-02T11:00"), tick=True):
        work()
    found = {report.month.isoformat(): report.figures["closed"] for report in db.session.scalars(select(MonthlyReport))}
    assert found["2027-10-01"] == 2
    sent = db.session.scalars(select(Delivery.subject).where(Delivery.kind == "report")).all()
    assert sorted(sent) == sorted(set(sent))

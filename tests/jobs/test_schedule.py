"""The schedule: one run per period for any number of ticks, and one for missed periods."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from backend.core.db.session import db, transaction
from backend.core.queue import Job, JobRun, retention, runs
from backend.core.queue.schedule import Daily, Every, Monthly
from backend.domain.market.models import MarketSetting
from backend.jobs import schedule
from backend.settings import Settings
from tests.jobs.conftest import Another

SIX_PM = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)  # 18:00 in the marketplace's time zone


def tick_at(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        schedule.tick()


def periods(name: str = "daily-reminders") -> list[str]:
    statement = select(JobRun.period).where(JobRun.name == name).order_by(JobRun.id)
    return list(db.session.execute(statement).scalars())


def test_tick_starts_run_at_its_time_and_only_once(app: Flask) -> None:
    tick_at(SIX_PM - timedelta(seconds=1))
    assert periods() == []
    for seconds in (0, 15, 30, 3600):
        tick_at(SIX_PM + timedelta(seconds=seconds))
    assert periods() == ["2026-12-01"]
    assert db.session.execute(select(Job).where(Job.topic == "reminders.run")).scalars().one().payload


def test_tick_concurrently_starts_one_run(app: Flask) -> None:
    def beat(_: int) -> None:
        with app.app_context():
            schedule.tick()

    with time_machine.travel(SIX_PM, tick=False), ThreadPoolExecutor(8) as pool:
        list(pool.map(beat, range(16)))
    assert periods() == ["2026-12-01"]


def test_tick_after_missed_period_starts_it_once_and_not_at_night(app: Flask) -> None:
    tick_at(SIX_PM + timedelta(hours=4))
    tick_at(SIX_PM + timedelta(hours=4, minutes=1))
    assert periods() == ["2026-12-01"]
    tick_at(SIX_PM + timedelta(days=1, hours=7))
    assert periods() == ["2026-12-01"]


def test_tick_after_reminder_time_was_changed_starts_no_second_run_that_day(app: Flask) -> None:
    tick_at(SIX_PM)
    with transaction():
        db.session.add(MarketSetting(name="reminder_at", value="20:00"))
    tick_at(SIX_PM + timedelta(hours=2, seconds=1))
    assert periods() == ["2026-12-01"]
    tick_at(SIX_PM + timedelta(days=1))
    assert periods() == ["2026-12-01"]
    tick_at(SIX_PM + timedelta(days=1, hours=2))
    assert periods() == ["2026-12-01", "2026-12-02"]


@pytest.mark.parametrize(
    ("moment", "key", "following"),
    [
        ("2026-12-01T00:59:59+01:00", "2026-11", "2026-12-01T02:30:00+01:00"),
        ("2026-12-01T02:30:00+01:00", "2026-12", "2027-01-01T02:30:00+01:00"),
        ("2027-03-31T23:59:00+02:00", "2027-03", "2027-04-01T02:30:00+02:00"),
    ],
)
def test_monthly_rule_uses_marketplace_time_zone(another: Another, moment: str, key: str, following: str) -> None:
    another(market_timezone="Europe/Berlin")
    rule = Monthly(day=1, at=time(2, 30))
    at = datetime.fromisoformat(moment)
    assert rule.latest(at).key == key
    assert rule.following(at) == datetime.fromisoformat(following)


@pytest.mark.parametrize(
    ("moment", "key", "due"),
    [
        ("2027-03-28T00:00:00+00:00", "2027-03-27", "2027-03-27T01:30:00+00:00"),
        ("2027-03-28T01:30:00+00:00", "2027-03-28", "2027-03-28T01:30:00+00:00"),  # 02:30 does not exist, so 03:30
        (
            "2027-10-31T00:30:00+00:00",
            "2027-10-31",
            "2027-10-31T00:30:00+00:00",
        ),  # 02:30 occurs twice, the first counts
        ("2027-10-31T01:30:00+00:00", "2027-10-31", "2027-10-31T00:30:00+00:00"),
    ],
)
def test_daily_rule_on_clock_change_neither_skips_nor_repeats_a_day(
    another: Another, moment: str, key: str, due: str
) -> None:
    another(market_timezone="Europe/Berlin")
    period = Daily(lambda: time(2, 30)).latest(datetime.fromisoformat(moment))
    assert (period.key, period.due_at) == (key, datetime.fromisoformat(due))


def test_daily_rule_has_one_period_for_every_day_of_a_year(another: Another, settings: Settings) -> None:
    for zone in ("Europe/Berlin", "Asia/Kolkata", "America/St_Johns"):
        another(market_timezone=zone)
        rule = Daily(lambda: time(0, 30))
        moment = datetime(2027, 1, 1, 12, tzinfo=UTC)
        keys = []
        for _ in range(365):
            following = rule.following(moment)
            assert rule.latest(following).due_at == following > moment
            keys.append(rule.latest(following).key)
            moment = following
        assert len(set(keys)) == 365


def test_every_rule_has_periods_at_fixed_minutes() -> None:
    rule = Every(minutes=5)
    at = datetime(2026, 12, 1, 10, 7, 30, tzinfo=UTC)
    assert rule.latest(at).key == "2026-12-01T10:05Z"
    assert rule.following(at) == datetime(2026, 12, 1, 10, 10, tzinfo=UTC)


def test_drop_old_runs_does_not_restart_a_period(app: Flask) -> None:
    tick_at(SIX_PM)
    with transaction():
        for run in db.session.execute(select(JobRun)).scalars():
            run.status, run.finished_at = "done", SIX_PM - timedelta(days=800)
    with transaction():
        assert retention.drop_old_runs() == 0
    tick_at(SIX_PM + timedelta(minutes=1))
    assert periods() == ["2026-12-01"]


def test_run_started_by_admin_is_separate_from_scheduled_run(app: Flask) -> None:
    row = next(row for row in schedule.TABLE if row.name == "daily-reminders")
    with transaction():
        first = runs.start(replace(row), params={}, requested_by=None)
        second = runs.start(row, params={}, requested_by=None)
    tick_at(SIX_PM)
    assert first != second
    assert periods()[-1] == "2026-12-01"

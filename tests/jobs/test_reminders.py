"""Daily reminders: recipients, contents, and at most one a day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert, select, text, update

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.queue import Job, JobRun, admin, runs
from backend.domain.accounts.models import Account
from backend.domain.market.models import MarketSetting
from backend.domain.notifications import preferences
from backend.domain.notifications.preferences import Choice
from backend.domain.task_requests import reminders as request_reminders
from backend.jobs import reminders, runner, schedule
from tests.factories.closed_requests import run_jobs
from tests.factories.jobs import deliveries, fresh_run, run_now, work
from tests.factories.queries import count_queries
from tests.factories.requests import RequestMarket
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users

FAR = "110001"  # Delhi


@pytest.fixture
def market(mailing: Flask, users: Users) -> RequestMarket:
    return RequestMarket(users)


def figures(run: JobRun) -> tuple[str, int, int, int]:
    return run.status, run.sent, run.failed, run.skipped


def last_seen(user: User, days: float) -> None:
    with transaction():
        moment = now() - timedelta(days=days)
        db.session.execute(update(Account).where(Account.id == user.id).values(last_seen_at=moment))


def test_reminder_for_waiting_requests_is_sent_once_a_day(market: RequestMarket, smtp: SmtpServer) -> None:
    ravi = market.professional()
    mine = market.ask(market.users.customer())
    assert figures(run_now("daily-reminders")) == ("done", 1, 0, 0)
    (mail,) = [one for one in smtp.to(f"{ravi.username}@example.org") if "waiting" in one["Subject"]]
    assert mail["Subject"] == "1 request waiting for your response"
    plain = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    assert f"/app/requests/{mine['id']}" in plain.as_string()
    assert "Plumbing" in plain.as_string()
    sent = len(smtp.mails)
    assert figures(run_now("daily-reminders")) == ("done", 0, 0, 1)
    assert len(smtp.mails) == sent


def test_reminder_over_display_limit_counts_the_rest(market: RequestMarket, smtp: SmtpServer) -> None:
    market.professional()
    customer = market.users.customer()
    for _ in range(7):
        market.ask(customer)
    assert run_now("daily-reminders").sent == 1
    mail = smtp.mails[-1][1]
    assert mail["Subject"] == "7 requests waiting for your response"
    parts = [part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()]  # type: ignore[union-attr]  # bytes, of leaves
    for said in parts:
        assert "Next: Plumbing, " in said
        assert said.count("/app/requests/") == request_reminders.SHOWN
        assert "And 2 more." in said


def test_reminder_without_waiting_requests_after_visit_today_is_not_sent(
    market: RequestMarket, smtp: SmtpServer
) -> None:
    market.professional()
    assert figures(run_now("daily-reminders")) == ("done", 0, 0, 0)


def test_reminder_without_visit_since_yesterday_is_sent(market: RequestMarket, smtp: SmtpServer) -> None:
    last_seen(market.professional(), days=1)
    assert figures(run_now("daily-reminders")) == ("done", 1, 0, 0)
    assert smtp.mails[-1][1]["Subject"] == "Check your inbox for new requests"


@pytest.mark.parametrize("who", ["pending", "blocked", "does another task", "lives far away", "rejected it"])
def test_reminder_to_professional_who_cannot_accept_is_not_sent(market: RequestMarket, who: str) -> None:
    if who == "pending":
        market.users.professional(approved=False, task_ids=[market.task_id])
    elif who == "does another task":
        market.professional(task_ids=[market.task("Painting")])
    elif who == "lives far away":
        market.professional(pincode=FAR)
    else:
        ravi = market.professional()
    made = market.ask(market.users.customer())
    if who == "blocked":
        with transaction():
            blocked = {"blocked_at": now(), "blocked_reason": "other"}
            db.session.execute(update(Account).where(Account.id == ravi.id).values(**blocked))
    elif who == "rejected it":
        ravi.post(f"/requests/{made['id']}/reject", {"reason": "Too far"})
    assert figures(run_now("daily-reminders")) == ("done", 0, 0, 0)


def test_reminder_for_direct_request_goes_only_to_asked_professional(market: RequestMarket) -> None:
    ravi, _ = market.professional(), market.professional()
    market.ask(market.users.customer(), professional_id=ravi.id)
    assert figures(run_now("daily-reminders")) == ("done", 1, 0, 0)
    assert [one.account_id for one in deliveries(kind="reminder")] == [ravi.id]


def test_reminder_to_distant_professional_who_serves_pincode_is_sent(market: RequestMarket) -> None:
    market.professional(pincode=FAR, pincodes=["560001"])
    market.ask(market.users.customer())
    assert run_now("daily-reminders").sent == 1


def test_reminder_run_counts_unsubscribed_and_rejected_mails(market: RequestMarket, smtp: SmtpServer) -> None:
    ravi, uma, kiran = (market.professional() for _ in range(3))
    with transaction():
        preferences.unsubscribe(ravi.id, "reminder")
    smtp.answers[f"{uma.username}@example.org"] = "550 no such mailbox"
    market.ask(market.users.customer())
    assert figures(run_now("daily-reminders")) == ("done", 1, 1, 1)
    assert [one.account_id for one in deliveries(kind="reminder", state="sent")] == [kiran.id]


def test_reminder_run_in_batches_reaches_everyone_once(market: RequestMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "BATCH", 2)
    everyone = [market.professional() for _ in range(5)]
    market.ask(market.users.customer())
    assert figures(run_now("daily-reminders")) == ("done", 5, 0, 0)
    assert sorted(one.account_id for one in deliveries(kind="reminder")) == [one.id for one in everyone]


def test_reminder_run_shared_by_workers_is_completed_once(
    app: Flask, market: RequestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 1)
    everyone = [market.professional() for _ in range(8)]
    with transaction():
        run_id = runs.start(admin.scheduled("daily-reminders"), params={}, requested_by=None)
    run_jobs("reminders.run")
    parts = jobs_of("reminders.batch")
    assert len(parts) == len(everyone) + 1

    def execute(job_id: int) -> str:
        with app.app_context():
            return runner.run(job_id)

    with ThreadPoolExecutor(4) as workers:
        assert set(workers.map(execute, parts)) == {"done"}
    assert len(jobs_of("run.settle")) == 1
    assert fresh_run(run_id).parts_left == 0


def jobs_of(topic: str) -> list[int]:
    found = list(db.session.execute(select(Job.id).where(Job.topic == topic).order_by(Job.id)).scalars())
    db.session.rollback()
    return found


def test_reminder_runs_concurrently_send_one_per_professional(market: RequestMarket) -> None:
    market.professional()
    market.ask(market.users.customer())
    with transaction():
        row = admin.scheduled("daily-reminders")
        both = [runs.start(row, params={}, requested_by=None) for _ in range(2)]
    work(now=True)
    found = [fresh_run(run_id) for run_id in both]
    assert sum(run.sent for run in found) == 1
    assert sum(run.skipped for run in found) == 1


def test_reminder_in_quiet_hours_is_delayed_without_delaying_run(market: RequestMarket) -> None:
    ravi = market.professional()
    last_seen(ravi, days=1)
    there = now().astimezone(current_settings().zone)
    quiet = {"from": f"{there - timedelta(hours=1):%H:%M}", "to": f"{there + timedelta(hours=1):%H:%M}"}
    with transaction():
        preferences.put(ravi.id, Choice(quiet_hours=quiet))
        run_id = runs.start(admin.scheduled("daily-reminders"), params={}, requested_by=None)
    work()
    assert figures(fresh_run(run_id)) == ("done", 0, 0, 0)
    with transaction():
        db.session.execute(text("UPDATE deliveries SET not_before = now() - interval '1 second'"))
    work(now=True)
    assert figures(fresh_run(run_id)) == ("done", 1, 0, 0)


@pytest.mark.parametrize(
    ("days", "this_week", "due"),
    [(0, True, True), (7, True, True), (8, True, False), (8, False, True), (30, False, True), (31, False, False)],
)
def test_reminder_is_due_depends_on_days_without_visit(days: int, this_week: bool, due: bool) -> None:
    assert request_reminders.is_due(days, reminded_this_week=this_week) is due


def test_reminder_after_a_week_without_visit_is_sent_weekly(market: RequestMarket) -> None:
    ravi = market.professional()
    last_seen(ravi, days=12)
    assert run_now("daily-reminders").sent == 1
    with transaction():
        yesterday = (now() - timedelta(days=1)).date().isoformat()
        db.session.execute(text("UPDATE deliveries SET subject = :day"), {"day": yesterday})
    assert figures(run_now("daily-reminders")) == ("done", 0, 0, 1)
    last_seen(ravi, days=2)
    assert run_now("daily-reminders").sent == 1
    last_seen(ravi, days=31)
    with transaction():
        db.session.execute(text("DELETE FROM delivery_attempts"))
        db.session.execute(text("DELETE FROM deliveries"))
    assert figures(run_now("daily-reminders")) == ("done", 0, 0, 1)


def test_days_away_are_counted_in_marketplace_time_zone(app: Flask) -> None:
    just_before_midnight_there = datetime(2026, 11, 30, 18, 29, tzinfo=UTC)
    assert request_reminders.days_away(just_before_midnight_there, day=date(2026, 12, 1)) == 1
    assert request_reminders.days_away(just_before_midnight_there + timedelta(minutes=1), day=date(2026, 12, 1)) == 0


def test_reminder_run_queries_do_not_grow_with_professionals(market: RequestMarket) -> None:
    def queries_of_a_run() -> int:
        with transaction():
            run_id = runs.start(admin.scheduled("daily-reminders"), params={}, requested_by=None)
        run_jobs("reminders.run")
        with count_queries() as counted:
            run_jobs("reminders.batch")
        assert fresh_run(run_id).status == "running"
        return counted.number

    market.professional()
    market.ask(market.users.customer())
    few = queries_of_a_run()
    for _ in range(10):
        market.professional()
    assert queries_of_a_run() == few


def test_reminder_run_after_midnight_belongs_to_its_due_day(market: RequestMarket) -> None:
    ravi = market.professional()
    last_seen(ravi, days=3)
    zone = current_settings().zone
    with time_machine.travel(now().astimezone(zone).replace(hour=23, minute=55), tick=True):
        with transaction():
            db.session.execute(insert(MarketSetting).values(name="reminder_at", value="23:50"))
        schedule.tick()
        today = now().astimezone(zone).date()
    with time_machine.travel(now().astimezone(zone).replace(hour=0, minute=5) + timedelta(days=1), tick=True):
        run_jobs("reminders.run")
        run_jobs("reminders.batch")
    assert [one.subject for one in deliveries(kind="reminder")] == [today.isoformat()]
    with time_machine.travel(now().astimezone(zone).replace(hour=23, minute=52) + timedelta(days=1), tick=True):
        schedule.tick()
        run_jobs("reminders.run")
        run_jobs("reminders.batch")
    tomorrow = today + timedelta(days=1)
    assert [one.subject for one in deliveries(kind="reminder")] == [today.isoformat(), tomorrow.isoformat()]

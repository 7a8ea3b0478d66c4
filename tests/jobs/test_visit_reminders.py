"""Reminders of visits: recipients, times, at most one for each occasion, and none that no longer applies."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.notifications import preferences
from backend.domain.notifications.preferences import Choice
from backend.domain.visits import reminders
from backend.jobs import schedule
from tests.factories.jobs import deliveries, run_now, work
from tests.factories.requests import WHY, RequestMarket, do, notified_kinds
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

NOON = datetime(2026, 12, 7, 6, 30, tzinfo=UTC)  # 12:00 in India
EVENING = datetime(2026, 12, 7, 12, 31, tzinfo=UTC)  # 18:01
VISIT = datetime(2026, 12, 8, 9, 30, tzinfo=UTC)  # 15:00 on the next day
SOON = VISIT - timedelta(minutes=119)
TOMORROW, COMING_UP = "request_due_tomorrow", "request_due_soon"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=True) as traveller:
        yield traveller


@pytest.fixture
def mailing(another: Another, smtp: SmtpServer) -> Flask:
    """Return an application with a mail server, and with access tokens that last beyond the visit."""
    return another(mail_server="127.0.0.1", mail_port=smtp.port, access_token_minutes=100_000)


@pytest.fixture
def market(clock: time_machine.Traveller, mailing: Flask) -> RequestMarket:
    users = Users(mailing)
    changed = users.admin().patch("/settings", {"visit_reminders": "on"})
    assert changed.status_code == 200, changed.json
    return RequestMarket(users)


@pytest.fixture
def asha(market: RequestMarket) -> User:
    return market.users.customer(firstname="Asha")


@pytest.fixture
def ravi(market: RequestMarket) -> User:
    return market.professional(firstname="Ravi")


def accepted(market: RequestMarket, asha: User, ravi: User, at: datetime = VISIT) -> str:
    """Return the path of a request that was accepted at noon."""
    made = market.bring_to("accepted", asha, ravi, date_of_request=at.isoformat())
    return f"/requests/{made['id']}"


def remind(market: RequestMarket, clock: time_machine.Traveller, at: datetime) -> int:
    """Run the job at a time, and return how many reminders it wrote."""
    clock.move_to(at)
    return run_now("visit-reminders").sent


def kinds(user: User) -> list[str]:
    return [kind for kind in notified_kinds(user) if kind in (TOMORROW, COMING_UP)]


def test_visit_is_reminded_of_the_evening_before_and_two_hours_before(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, smtp: SmtpServer
) -> None:
    accepted(market, asha, ravi)
    assert remind(market, clock, EVENING - timedelta(minutes=2)) == 0
    assert remind(market, clock, EVENING) == 2
    assert remind(market, clock, EVENING + timedelta(minutes=5)) == 0
    assert remind(market, clock, SOON - timedelta(minutes=2)) == 0
    assert remind(market, clock, SOON) == 2
    assert remind(market, clock, SOON + timedelta(minutes=5)) == 0
    assert kinds(asha) == kinds(ravi) == [COMING_UP, TOMORROW]
    work()
    titles = [mail["Subject"] for mail in smtp.to(f"{asha.username}@example.org")]
    assert {"Tomorrow: Plumbing", "Coming up: Plumbing"} <= set(titles)


def test_visit_reminders_are_off_by_default(clock: time_machine.Traveller, mailing: Flask) -> None:
    market = RequestMarket(Users(mailing))
    accepted(market, market.users.customer(), market.professional())
    assert remind(market, clock, EVENING) == 0


def test_visit_accepted_after_the_reminder_was_due_is_not_reminded_of(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    made = market.ask(asha, date_of_request=VISIT.isoformat())
    clock.move_to(EVENING)
    do(ravi, f"/requests/{made['id']}/accept")
    assert remind(market, clock, EVENING + timedelta(minutes=5)) == 0
    assert remind(market, clock, SOON) == 2


def test_visit_released_and_accepted_by_another_reminds_only_the_new_professional(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    path = accepted(market, asha, ravi)
    assert remind(market, clock, SOON) == 2
    do(ravi, f"{path}/release", WHY)
    meera = market.professional()
    do(meera, f"{path}/accept")
    with transaction():  # as if accepted in time
        db.session.execute(text("UPDATE task_requests SET accepted_at = :at"), {"at": NOON})
    assert remind(market, clock, SOON + timedelta(minutes=5)) == 1
    assert (kinds(asha), kinds(ravi), kinds(meera)) == ([COMING_UP], [COMING_UP], [COMING_UP])


def test_visit_moved_within_its_day_reminds_nobody_of_the_day_again(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    path = accepted(market, asha, ravi)
    assert remind(market, clock, EVENING) == 2
    later = (VISIT + timedelta(hours=2)).isoformat()
    assert asha.patch(path, {"date_of_request": later}).status_code == 200
    do(ravi, f"{path}/accept")
    with transaction():
        db.session.execute(text("UPDATE task_requests SET accepted_at = :at"), {"at": NOON})
    assert remind(market, clock, EVENING + timedelta(minutes=10)) == 0
    assert remind(market, clock, SOON + timedelta(hours=2)) == 2


def test_on_time_is_possible_from_the_reminder_until_the_visit(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    path = accepted(market, asha, ravi)
    early = ravi.post(f"{path}/on_time")
    assert (early.status_code, early.json["code"]) == (409, "invalid_transition")
    assert early.json["detail"].startswith("A visit can be confirmed as on time from its reminder until its planned")
    assert "on_time" not in ravi.get(path).json["visit_actions"]
    remind(market, clock, EVENING)
    assert "on_time" in ravi.get(path).json["visit_actions"]
    assert asha.post(f"{path}/on_time").status_code == 403
    first = do(ravi, f"{path}/on_time")
    assert (first["status"], first["on_time_at"] is not None) == ("accepted", True)
    assert do(ravi, f"{path}/on_time")["on_time_at"] == first["on_time_at"]
    seen = asha.get(path).json
    assert [entry["action"] for entry in seen["history"]].count("on_time") == 1
    assert notified_kinds(asha).count("request_on_time") == 1
    remind(market, clock, SOON)
    assert ravi.get(path).json["on_time_at"] == first["on_time_at"]
    clock.move_to(VISIT + timedelta(seconds=1))
    assert ravi.post(f"{path}/on_time").status_code == 409


def test_on_time_is_taken_back_by_running_late_and_cleared_by_release(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    path = accepted(market, asha, ravi)
    remind(market, clock, SOON)
    do(ravi, f"{path}/on_time")
    late = do(ravi, f"{path}/running_late", {"eta_minutes": 150})
    assert (late["on_time_at"], late["eta_at"] is not None) == (None, True)
    again = do(ravi, f"{path}/on_time")
    assert (again["on_time_at"] is not None, again["eta_at"]) == (True, None)
    assert notified_kinds(asha)[:3] == ["request_on_time", "request_running_late", "request_on_time"]
    do(ravi, f"{path}/release", WHY)
    assert asha.get(path).json["on_time_at"] is None
    assert "on_time" not in do(ravi, f"{path}/accept")["visit_actions"]


def test_reminder_offers_each_side_what_it_can_do_at_once(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, smtp: SmtpServer
) -> None:
    path = accepted(market, asha, ravi)
    remind(market, clock, SOON)
    work()
    offered = {user.username: user.get("/notifications").json["items"][0]["choices"] for user in (asha, ravi)}
    assert offered == {asha.username: ["cancel"], ravi.username: ["on_time", "running_late", "release"]}
    for user, others in ((asha, "on_time"), (ravi, "cancel")):
        mail = next(one for one in smtp.to(f"{user.username}@example.org") if one["Subject"].startswith("Coming up"))
        texts = [part for part in mail.walk() if part.get_content_type() in ("text/plain", "text/html")]
        assert len(texts) == 2
        for part in texts:
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            shown = payload.decode()
            assert all(f"/app{path}?action={name}" in shown for name in offered[user.username])
            assert f"action={others}" not in shown
    clock.move_to(VISIT + timedelta(seconds=1))
    assert ravi.get("/notifications").json["items"][0]["choices"] == []


@pytest.mark.parametrize("end", ["release", "cancel", "move"])
def test_reminder_not_yet_sent_is_dropped_once_the_visit_is_off(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, end: str
) -> None:
    path = accepted(market, asha, ravi)
    clock.move_to(EVENING)
    with transaction():
        assert reminders.send() == 2
    if end == "move":
        assert asha.patch(path, {"date_of_request": (VISIT + timedelta(days=1)).isoformat()}).status_code == 200
    else:
        do(ravi if end == "release" else asha, f"{path}/{end}", WHY)
    work()
    assert [one.state for one in deliveries() if one.kind == TOMORROW] == ["skipped", "skipped"]


def test_reminder_held_back_by_quiet_hours_until_the_visit_is_dropped(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, smtp: SmtpServer
) -> None:
    with transaction():
        preferences.put(asha.id, Choice(quiet_hours={"from": "12:30", "to": "16:00"}))
    accepted(market, asha, ravi)
    clock.move_to(SOON)
    with transaction():
        assert reminders.send() == 2
    clock.move_to(VISIT + timedelta(hours=1, minutes=1))
    work(now=True)
    (dropped,) = [one for one in deliveries() if one.kind == COMING_UP and one.account_id == asha.id]
    assert (dropped.state, kinds(asha)) == ("skipped", [COMING_UP])


def test_unsubscribing_stops_both_reminders_but_not_the_app(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, smtp: SmtpServer
) -> None:
    accepted(market, asha, ravi)
    remind(market, clock, EVENING)
    work()
    (mail,) = [one for one in smtp.to(f"{asha.username}@example.org") if one["Subject"].startswith("Tomorrow")]
    link = mail["List-Unsubscribe"].strip("<>")
    assert asha.client.post(f"/unsubscribe/{link.rpartition('/')[2]}").status_code == 200
    remind(market, clock, SOON)
    work()
    assert [one["Subject"] for one in smtp.to(f"{asha.username}@example.org") if "Coming up" in one["Subject"]] == []
    assert kinds(asha) == [COMING_UP, TOMORROW]


def test_concurrent_schedulers_remind_each_account_once(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller, mailing: Flask
) -> None:
    for hours in range(3):
        accepted(market, asha, ravi, VISIT + timedelta(hours=2 * hours))
    clock.move_to(EVENING)

    def one(_: int) -> int:
        with mailing.app_context(), transaction():
            return reminders.send()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, range(6))) == 6
    assert kinds(asha) == kinds(ravi) == [TOMORROW] * 3


def test_scheduler_started_twice_in_one_period_runs_once(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    accepted(market, asha, ravi)
    clock.move_to(EVENING)
    for _ in range(2):
        schedule.tick()
    work(now=True)
    assert kinds(asha) == kinds(ravi) == [TOMORROW]


def test_old_reminders_are_forgotten(
    market: RequestMarket, asha: User, ravi: User, clock: time_machine.Traveller
) -> None:
    accepted(market, asha, ravi)
    remind(market, clock, EVENING)
    remind(market, clock, VISIT + timedelta(days=40))
    assert db.session.execute(text("SELECT count(*) FROM visit_reminders")).scalar_one() == 0
    assert now() > VISIT

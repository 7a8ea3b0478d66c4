"""Visit reminders through real processes: killed halfway, and started by two schedulers at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.market.models import MarketSetting
from tests.factories.requests import RequestMarket
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.faults.processes import JobProcesses
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
SUBJECT = "Coming up: Plumbing"


@pytest.fixture
def sides(dispatching: Flask, users: Users) -> tuple[User, User]:
    """Return a customer and a professional with a visit in an hour and a half, accepted long before."""
    market = RequestMarket(users)
    asha, ravi = users.customer(), market.professional()
    visit_at = (now() + timedelta(minutes=90)).isoformat()
    made = market.bring_to("accepted", asha, ravi, date_of_request=visit_at)
    with transaction():
        db.session.add(MarketSetting(name="visit_reminders", value="on"))
        statement = "UPDATE task_requests SET accepted_at = now() - interval '1 day' WHERE id = :id"
        db.session.execute(text(statement), {"id": made["id"]})
    return asha, ravi


def reminded(smtp: SmtpServer, sides: tuple[User, User]) -> list[int]:
    """Return how many reminders each side was mailed."""
    return [sum(mail["Subject"] == SUBJECT for mail in smtp.to(f"{side.username}@example.org")) for side in sides]


def test_visit_reminders_after_crash_before_commit_are_sent_once(
    jobs: JobProcesses, sides: tuple[User, User], smtp: SmtpServer, tmp_path: Path
) -> None:
    jobs.start("worker", CRASH_AT="visit_reminders.noted", WORKER_CONCURRENCY="1")
    jobs.start("beat")
    assert wait_until(lambda: reminded(smtp, sides) == [1, 1])
    assert (tmp_path / "crashed-visit_reminders.noted").exists()
    noted = db.session.execute(text("SELECT count(*) FROM visit_reminders")).scalar_one()
    shown = db.session.execute(text("SELECT count(*) FROM notifications WHERE kind = 'request_due_soon'")).scalar_one()
    assert (noted, shown) == (2, 2)


def test_visit_reminders_of_two_schedulers_are_sent_once(
    jobs: JobProcesses, sides: tuple[User, User], users: Users, smtp: SmtpServer
) -> None:
    for kind in ("worker", "beat", "worker", "beat"):
        jobs.start(kind)
    admin = users.admin()
    places = [admin.post("/jobs/visit-reminders/run", {}).headers["Location"] for _ in range(3)]
    assert wait_until(lambda: all(admin.get(place).json["status"] == "done" for place in places))
    assert wait_until(lambda: reminded(smtp, sides) == [1, 1])
    sent = db.session.execute(text("SELECT sum(sent) FROM job_runs WHERE name = 'visit-reminders'")).scalar_one()
    assert sent == 2

"""The command `flask demo` fills an empty marketplace once."""

from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from backend.cli import demo
from backend.cli.demo import texts
from backend.core import storage
from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.documents.models import Document
from backend.domain.notifications.models import Delivery, Notification
from backend.domain.professionals.models import Professional
from backend.domain.reports.models import MonthlyReport
from backend.domain.reviews.models import Review
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import RequestEvent, TaskRequest
from tests.factories.users import Users

CITIES = texts.CITIES[:1]


@pytest.fixture
def filled(app: Flask, users: Users, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the command for one city and return its output."""
    users.admin()
    monkeypatch.setattr(texts, "CITIES", CITIES)
    done = app.test_cli_runner().invoke(args=["demo"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_demo_creates_data_in_every_state_without_future_timestamps(
    app: Flask, client: FlaskClient, filled: str
) -> None:
    states = Counter(db.session.execute(select(TaskRequest.status)).scalars())
    assert set(states) == set(Status)
    approvals = set(db.session.execute(select(Professional.approval)).scalars())
    assert approvals == {"approved", "pending", "rejected", "document_missing"}
    for model in (Review, Document, Notification, MonthlyReport):
        assert db.session.execute(select(func.count()).select_from(model)).scalar_one() > 10
    times = [
        TaskRequest.accepted_at,
        TaskRequest.closed_at,
        Review.created_at,
        Notification.created_at,
        RequestEvent.at,
    ]
    for column in times:
        latest = db.session.execute(select(func.max(column))).scalar_one()
        assert latest is not None
        assert latest <= now()
    waiting = select(func.min(TaskRequest.date_of_request)).where(TaskRequest.status.in_(["requested", "accepted"]))
    assert db.session.execute(waiting).scalar_one() > now()
    assert not db.session.execute(select(Delivery)).first()  # the demo sends no mail
    assert_every_part_of_a_visit_is_there()
    username = next(line.split()[0] for line in filled.splitlines() if line.endswith(" customer"))
    signed_in = client.post("/check", json={"username": username, "password": demo.PASSWORD, "client": "api"})
    assert signed_in.status_code == 200


def assert_every_part_of_a_visit_is_there() -> None:
    """Check what the showcase of each city has for certain; the rest is up to chance."""

    def number(condition: str) -> int:
        found: int = db.session.execute(text(f"SELECT count(*) FROM {condition}")).scalar_one()  # noqa: S608 - constant
        return found

    assert number("offers WHERE state = 'live' AND valid_until > now()") >= 1
    assert number("task_requests WHERE status = 'accepted' AND on_the_way_at IS NOT NULL AND arrived_at IS NULL") == 1
    assert number("task_requests WHERE status = 'closed' AND start_proof = 'code' AND lines_amount IS NOT NULL") >= 1
    assert number("task_requests WHERE undecided_lines > 0") == 1
    assert number("messages WHERE author_role = 'customer'") == number("messages WHERE author_role = 'professional'")
    assert number("conversation_reports WHERE settled_at IS NULL") == 1
    assert {"problem", "before", "after"} == set(db.session.execute(text("SELECT phase FROM request_photos")).scalars())
    assert number("request_checklist_points WHERE done_at IS NOT NULL") >= 2
    future = "WHERE greatest(on_the_way_at, arrived_at, started_at) > now()"
    assert number(f"task_requests {future}") == 0
    key = db.session.execute(text("SELECT thumb_store_key FROM request_photos LIMIT 1")).scalar_one()
    assert storage.documents().size(key) > 0


@pytest.mark.slow
def test_demo_run_again_adds_nothing(app: Flask, filled: str) -> None:
    before = db.session.execute(select(func.count()).select_from(TaskRequest)).scalar_one()
    again = app.test_cli_runner().invoke(args=["demo"])
    assert again.exit_code == 0
    assert "already" in again.output
    assert db.session.execute(select(func.count()).select_from(TaskRequest)).scalar_one() == before


def test_demo_without_admin_fails_and_says_what_to_do(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["demo"])
    assert done.exit_code == 1
    assert "make run" in done.output

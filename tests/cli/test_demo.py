"""The command `flask demo` fills an empty marketplace once."""

from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from backend.cli import demo
from backend.cli.demo import texts
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
    username = next(line.split()[0] for line in filled.splitlines() if line.endswith(" customer"))
    signed_in = client.post("/check", json={"username": username, "password": demo.PASSWORD, "client": "api"})
    assert signed_in.status_code == 200


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

"""Workers are notified of new jobs after the outermost transaction commits, and of no others."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.queue import Job
from tests.factories.jobs import enqueue_empty


@pytest.fixture
def notified(app: Flask) -> Iterator[list[tuple[list[str], bool]]]:
    """Collect the topics of each notification and whether other connections saw their rows by then."""
    notifications: list[tuple[list[str], bool]] = []

    def notify(job_ids: list[int], **_: Any) -> None:
        with db.engine.connect() as other:
            topics = other.execute(select(Job.topic).where(Job.id.in_(job_ids)).order_by(Job.id)).scalars().all()
        notifications.append((list(topics), len(topics) == len(job_ids)))

    before = app.extensions["job_dispatcher"]
    queue.init_app(app, dispatcher=notify)
    yield notifications
    queue.init_app(app, dispatcher=before)


def test_job_notification_waits_for_outer_commit_despite_savepoint_release(
    notified: list[tuple[list[str], bool]],
) -> None:
    with transaction():
        enqueue_empty("outer")
        with db.session.begin_nested():
            enqueue_empty("inner")
        assert notified == []
        enqueue_empty("after")
    assert notified == [(["outer", "inner", "after"], True)]


def test_job_notification_is_dropped_for_savepoint_rollback_only(
    notified: list[tuple[list[str], bool]],
) -> None:
    with transaction():
        enqueue_empty("outer")
        savepoint = db.session.begin_nested()
        enqueue_empty("undone")
        savepoint.rollback()
        enqueue_empty("after")
    assert notified == [(["outer", "after"], True)]


def test_job_notification_is_dropped_for_nested_savepoints_together(notified: list[tuple[list[str], bool]]) -> None:
    with transaction():
        enqueue_empty("outer")
        savepoint = db.session.begin_nested()
        enqueue_empty("undone")
        with db.session.begin_nested():
            enqueue_empty("released, then undone")
        savepoint.rollback()
    assert notified == [(["outer"], True)]


def test_job_notification_is_dropped_after_rollback(notified: list[tuple[list[str], bool]]) -> None:
    enqueue_empty("outer")
    with db.session.begin_nested():
        enqueue_empty("inner")
    db.session.rollback()
    with transaction():
        enqueue_empty("next")
    assert notified == [(["next"], True)]

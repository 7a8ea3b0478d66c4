"""Workers are notified of new jobs once the outermost transaction is committed, and of no others."""

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
    """The topics of each notification, and whether their rows were visible to other connections then."""
    heard: list[tuple[list[str], bool]] = []

    def notify(job_ids: list[int], **_: Any) -> None:
        with db.engine.connect() as other:
            topics = other.execute(select(Job.topic).where(Job.id.in_(job_ids)).order_by(Job.id)).scalars().all()
        heard.append((list(topics), len(topics) == len(job_ids)))

    before = app.extensions["job_dispatcher"]
    queue.init_app(app, dispatcher=notify)
    yield heard
    queue.init_app(app, dispatcher=before)


def test_the_release_of_a_savepoint_notifies_nobody(notified: list[tuple[list[str], bool]]) -> None:
    with transaction():
        enqueue_empty("outer")
        with db.session.begin_nested():
            enqueue_empty("inner")
        assert notified == []
        enqueue_empty("after")
    assert notified == [(["outer", "inner", "after"], True)]


def test_a_savepoint_that_is_rolled_back_drops_its_own_notifications_only(
    notified: list[tuple[list[str], bool]],
) -> None:
    with transaction():
        enqueue_empty("outer")
        savepoint = db.session.begin_nested()
        enqueue_empty("undone")
        savepoint.rollback()
        enqueue_empty("after")
    assert notified == [(["outer", "after"], True)]


def test_nested_savepoints_are_undone_together(notified: list[tuple[list[str], bool]]) -> None:
    with transaction():
        enqueue_empty("outer")
        savepoint = db.session.begin_nested()
        enqueue_empty("undone")
        with db.session.begin_nested():
            enqueue_empty("released, then undone")
        savepoint.rollback()
    assert notified == [(["outer"], True)]


def test_a_transaction_that_is_rolled_back_notifies_nobody(notified: list[tuple[list[str], bool]]) -> None:
    enqueue_empty("outer")
    with db.session.begin_nested():
        enqueue_empty("inner")
    db.session.rollback()
    with transaction():
        enqueue_empty("next")
    assert notified == [(["next"], True)]

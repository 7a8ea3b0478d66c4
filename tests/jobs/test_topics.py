"""Job payloads: typed in code and stored as the same JSON that earlier versions wrote."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.db.session import db, transaction
from backend.core.errors import PermanentFailure
from backend.core.queue import Job, PartPayload, RunPayload, StoredFilePayload, Topic, runs
from backend.domain.accounts import sign_in
from backend.domain.documents import actions as documents
from backend.domain.exports import actions as exports
from backend.domain.exports import compression
from backend.domain.notifications import create
from backend.jobs import reminders, reports, topics
from backend.jobs.registry import HANDLERS
from tests.factories.jobs import work

RUN = (RunPayload(7), {"run_id": 7})
PART = {"run_id": 7, "after": 0, "until": 9}
EXPORT = (compression.ExportPayload(3), {"export_id": 3})
FILE = (StoredFilePayload("a-b"), {"store_key": "a-b"})
STORED: list[tuple[Topic[Any], tuple[object, Mapping[str, object]]]] = [
    (create.TOPIC, (create.DeliveryPayload(5), {"delivery_id": 5})),
    (sign_in.RESET_TOPIC, (sign_in.ResetRequest("a@example.org"), {"email": "a@example.org"})),
    (documents.DROP_TOPIC, FILE),
    (exports.TOPIC, EXPORT),
    (exports.DROP_TOPIC, FILE),
    (exports.PARTS_TOPIC, EXPORT),
    (compression.TOPIC, EXPORT),
    (reminders.PART, (reminders.RemindersPart(7, 0, 9, date(2026, 11, 2)), {**PART, "day": "2026-11-02"})),
    (reports.PART, (reports.ReportsPart(7, 0, 9, "2026-10"), {**PART, "month": "2026-10"})),
    (runs.COMPLETE, RUN),
    (topics.REMINDERS, RUN),
    (topics.REPORTS, RUN),
    (topics.HOUSEKEEPING, RUN),
    (topics.AVAILABILITY_RECOUNT, RUN),
    (topics.DOCUMENT_SWEEP, RUN),
    (topics.VISIT_REMINDERS, RUN),
]


def test_stored_payloads_cover_every_handler() -> None:
    assert sorted(topic.name for topic, _ in STORED) == sorted(HANDLERS)


@pytest.mark.parametrize(("topic", "pair"), STORED, ids=lambda value: value.name if isinstance(value, Topic) else "")
def test_payload_is_stored_and_loaded_as_in_earlier_versions(
    topic: Topic[Any], pair: tuple[object, Mapping[str, object]]
) -> None:
    payload, stored = pair
    assert topic.dump(payload) == stored
    assert topic.load(stored) == payload
    assert topic.load({**stored, "of_a_newer_version": 1}) == payload


@pytest.mark.parametrize("stored", [{}, {**PART, "run_id": "7"}, {**PART, "run_id": True}, {**PART, "after": None}])
def test_payload_without_required_field_fails_permanently(stored: dict[str, object]) -> None:
    with pytest.raises(PermanentFailure, match=r"topic parts"):
        Topic("parts", PartPayload).load(stored)


def test_payload_with_unsupported_type_is_rejected() -> None:
    with pytest.raises(TypeError, match="Topic cannot be stored: payload"):
        Topic("wrong", Topic).load({"name": "a", "payload": 1})


def test_job_with_unreadable_payload_is_dead_lettered(app: Flask) -> None:
    with transaction():
        db.session.execute(text("INSERT INTO jobs (topic, payload) VALUES ('document.drop', '{\"key\": 1}')"))
    work()
    job = db.session.execute(select(Job)).scalar_one()
    assert (job.attempts, job.dead_at is not None) == (1, True)
    assert "store_key" in str(job.error)

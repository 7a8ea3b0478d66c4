"""Daily reminders for professionals with open requests or without a recent visit, in batches, once per day."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.core.config import current_settings
from backend.core.queue import JobRun, Lease, PartPayload, RunPayload, Topic, runs
from backend.domain.notifications import create
from backend.domain.notifications.create import Outgoing
from backend.domain.notifications.messages import phrase
from backend.domain.task_requests import reminders
from backend.jobs.registry import job
from backend.jobs.topics import REMINDERS

BATCH: Final = 1000
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class RemindersPart(PartPayload):
    """A part of the professionals, and the day of their reminders."""

    day: date


PART: Final = Topic("reminders.batch", RemindersPart)


@job(REMINDERS)
def begin(payload: RunPayload, _: Lease) -> None:
    """Start a run for the day on which it was due, so that a start after midnight does not use up the next day."""
    run = runs.begin(payload.run_id)
    day = _day(run)
    ranges = runs.id_ranges(reminders.ID, reminders.WORKING, size=BATCH)
    runs.split(run.id, PART, [RemindersPart(run.id, ids.after, ids.until, day) for ids in ranges])


@job(PART)
def batch(payload: RemindersPart, _: Lease) -> None:
    """Write the reminders of one batch of professionals in one transaction."""
    run_id, day = payload.run_id, payload.day
    candidates = reminders.candidates(day=day, after=payload.after, until=payload.until)
    posted = create.post([_reminder(one, run_id=run_id, day=day) for one in candidates if one.due])
    runs.add(run_id, skipped=sum(one.wanted for one in candidates) - posted)
    runs.part_done(run_id)


def _day(run: JobRun) -> date:
    """Return the day of a run: a scheduled run's period, or the day on which an admin requested it."""
    if run.requested_by is None and DAY.fullmatch(run.period):
        return date.fromisoformat(run.period)
    return run.created_at.astimezone(current_settings().zone).date()


def _reminder(candidate: reminders.Candidate, *, run_id: int, day: date) -> Outgoing:
    params: dict[str, object] = {"waiting": [_line(one) for one in candidate.shown]}
    if candidate.waiting:
        params["waiting_title"] = phrase("requests_waiting", n=candidate.waiting)
        params["waiting_body"] = _first(candidate.shown[0], alone=candidate.waiting == 1)
        params["waiting_more"] = candidate.waiting - len(candidate.shown)
    else:
        params["visit_body"] = phrase("not_signed_in")
    return Outgoing(candidate.account_id, "reminder", day.isoformat(), params, run_id=run_id)


def _first(request: reminders.OpenRequest, *, alone: bool) -> dict[str, object]:
    """Return the most urgent request as one line, which is all that a short message has room for."""
    name = "only_request" if alone else "next_request"
    return phrase(name, task=request.task, date=request.date, pincode=request.pincode)


def _line(request: reminders.OpenRequest) -> dict[str, object]:
    return {"id": request.id, "task": request.task, "when": {"time": request.date}, "pincode": request.pincode}

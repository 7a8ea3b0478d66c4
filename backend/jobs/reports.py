"""Monthly reports: a run sends a month to all customers in batches, or to one customer."""

from dataclasses import dataclass
from typing import Final

from backend.core.db.session import db
from backend.core.errors import PermanentFailure
from backend.core.failpoints import failpoint
from backend.core.queue import Lease, PartPayload, RunPayload, Topic, runs
from backend.core.queue.models import JobRun
from backend.domain.reports import actions
from backend.domain.reports.actions import Batch
from backend.domain.reports.months import Month
from backend.jobs.registry import job
from backend.jobs.topics import REPORTS

BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class ReportsPart(PartPayload):
    """A part of the customers, and the month of their reports, such as 2026-10."""

    month: str


PART: Final = Topic("reports.batch", ReportsPart)


@job(REPORTS)
def begin(payload: RunPayload, _: Lease) -> None:
    """Start a run; a scheduled run sends the month before the one in which it was due."""
    run = runs.begin(payload.run_id)
    month = _month(run)
    if "customer_id" not in run.params:
        ranges = runs.id_ranges(actions.CUSTOMER_ID, actions.CUSTOMERS, size=BATCH)
        runs.split(run.id, PART, [ReportsPart(run.id, ids.after, ids.until, str(month)) for ids in ranges])
        return
    customer_id = int(str(run.params["customer_id"]))
    _count(run.id, actions.send_to_one(month, run_id=run.id, customer_id=customer_id))
    runs.enqueue_completion(run.id)


@job(PART)
def batch(payload: ReportsPart, _: Lease) -> None:
    """Write the reports of one batch of customers in one transaction."""
    run_id, month = payload.run_id, Month.parse(payload.month)
    if month is None:
        raise PermanentFailure(f"{payload.month} is not a valid month")
    db.session.connection().exec_driver_sql("SET LOCAL statement_timeout TO '60s'")
    done = actions.send_batch(month, run_id=run_id, after=payload.after, until=payload.until)
    _count(run_id, done)
    failpoint("reports.written")
    runs.part_done(run_id)


def _month(run: JobRun) -> Month:
    month = Month.parse(str(run.params["month"])) if "month" in run.params else Month.parse(run.period)
    if month is None:
        raise PermanentFailure(f"run {run.id} has no month")
    return month if "month" in run.params else month.previous


def _count(run_id: int, done: Batch) -> None:
    """Count skipped reports; sent and failed ones are counted from the deliveries later."""
    runs.add(run_id, skipped=done.skipped)

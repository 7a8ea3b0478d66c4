"""Monthly reports: a run sends a month to all customers in batches, or to one customer."""

from typing import Final

from backend.core.db.session import db
from backend.core.errors import PermanentFailure
from backend.core.failpoints import failpoint
from backend.core.queue import Lease, runs
from backend.core.queue.models import JobRun
from backend.domain.reports import actions
from backend.domain.reports.actions import Batch
from backend.domain.reports.months import Month
from backend.jobs.registry import job

BATCH: Final = 1000
RUN: Final = "reports.run"
PART: Final = "reports.batch"


@job(RUN)
def begin(lease: Lease) -> None:
    """Start a run; a scheduled run sends the month before the one in which it was due."""
    run = runs.begin(lease.payload["run_id"])
    month = _month(run)
    customer_id = run.params.get("customer_id")
    if customer_id is None:
        spans = runs.spans(actions.CUSTOMER_ID, actions.CUSTOMERS, size=BATCH)
        runs.spread(run.id, PART, {"month": str(month)}, spans)
        return
    _count(run.id, actions.send_to_one(month, run_id=run.id, customer_id=customer_id))
    runs.settle(run.id)


@job(PART)
def batch(lease: Lease) -> None:
    """Write the reports of one batch of customers in one transaction."""
    run_id, month = lease.payload["run_id"], Month.parse(lease.payload["month"])
    if month is None:
        raise PermanentFailure(f"{lease.payload['month']} is not a valid month")
    db.session.connection().exec_driver_sql("SET LOCAL statement_timeout TO '60s'")
    done = actions.send_batch(month, run_id=run_id, after=lease.payload["after"], until=lease.payload["until"])
    _count(run_id, done)
    failpoint("reports.written")
    runs.part_done(run_id)


def _month(run: JobRun) -> Month:
    month = Month.parse(run.params["month"]) if "month" in run.params else Month.parse(run.period)
    if month is None:
        raise PermanentFailure(f"run {run.id} has no month")
    return month if "month" in run.params else month.previous


def _count(run_id: int, done: Batch) -> None:
    """Count skipped reports; sent and failed ones are counted from the deliveries later."""
    runs.add(run_id, skipped=done.skipped)

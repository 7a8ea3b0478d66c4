"""The schedule: what runs when. Each tick claims its period in PostgreSQL, so any number of beats is safe."""

from datetime import time, timedelta
from typing import Final

import structlog

from backend.core.db.session import transaction
from backend.core.queue import Lane, runs
from backend.core.queue.schedule import Daily, Every, Monthly, Scheduled
from backend.domain.market import settings as market
from backend.domain.reports import actions as reports
from backend.jobs import topics

log = structlog.get_logger(__name__)
RECOUNT_AT: Final = time(3, 30)
SWEEP_AT: Final = time(4, 15)


def reminder_at() -> time:
    """Return the time of the daily reminders, which admins may change at run time."""
    return market.get().reminder_at


TABLE: Final = (
    Scheduled(
        "daily-reminders",
        "Remind professionals who have open requests or have not visited recently",
        Daily(reminder_at),
        topic=topics.REMINDERS,
        lane=Lane.BULK,
        catch_up=timedelta(hours=5),
    ),
    Scheduled(
        "visit-reminders",
        "Remind customers and professionals of visits, the evening before and two hours before",
        Every(minutes=5),
        topic=topics.VISIT_REMINDERS,
        lane=Lane.BULK,
        runs_kept=timedelta(days=2),
        catch_up=timedelta(minutes=5),
    ),
    Scheduled(
        "monthly-reports",
        "Send each customer the report for the previous month",
        Monthly(day=1, at=time(7)),
        topic=topics.REPORTS,
        lane=Lane.BULK,
        catch_up=timedelta(days=20),
        check=reports.check,
    ),
    Scheduled(
        "housekeeping",
        "Expire overdue requests, open unanswered ones, retry stuck messages, delete old data",
        Every(minutes=1),
        topic=topics.HOUSEKEEPING,
        runs_kept=timedelta(days=2),
        catch_up=timedelta(minutes=1),
    ),
    Scheduled(
        "availability-recount",
        "Recalculate where each professional is available and correct any differences",
        Daily(lambda: RECOUNT_AT),
        topic=topics.AVAILABILITY_RECOUNT,
        lane=Lane.BULK,
        catch_up=timedelta(hours=2),
    ),
    Scheduled(
        "document-sweep",
        "Delete document files that are no longer referenced",
        Daily(lambda: SWEEP_AT),
        topic=topics.DOCUMENT_SWEEP,
        lane=Lane.BULK,
        catch_up=timedelta(hours=12),
    ),
)


def tick() -> None:
    """Claim and start every due period."""
    with transaction():
        names = runs.claim_due()
    for name in names:
        log.info("schedule.job_started", name=name)

"""Housekeeping: expiry, stuck work and retention. A failing part does not stop the others."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from backend.core import idempotency, mail, web_assets
from backend.core.observability import fleet
from backend.core.queue import Lease, RunPayload, retention, runs
from backend.domain.accounts import links, phones, throttle
from backend.domain.accounts import sessions as accounts
from backend.domain.dashboard import counts
from backend.domain.exports import actions as exports
from backend.domain.notifications import retention as notification_retention
from backend.domain.notifications import sms_limits
from backend.domain.offers import actions as offers
from backend.domain.photos import actions as photos
from backend.domain.professionals import approval_expiry
from backend.domain.reports import retention as reports
from backend.domain.task_requests import bulk
from backend.domain.visits import links as visit_links
from backend.jobs.exports import aside
from backend.jobs.registry import job
from backend.jobs.topics import HOUSEKEEPING

log = structlog.get_logger(__name__)
ROUNDS: Final = 10
PART_SECONDS: Final = 20.0  # a part that takes longer continues in the next run, a minute later
BATCH: Final = 500
CHANGED: Final = 100  # requests whose status changes: history, notification, delivery and job of each are written too


class Part(NamedTuple):
    """One part; ``work`` takes the number of rows per batch and returns how many it changed.

    Where rows can be put off, it returns how many it looked at and how many of them it changed: a batch of which some
    were put off is full too.
    """

    name: str
    work: Callable[[int], int | tuple[int, int]]
    batch: int = BATCH


PARTS: Final = (
    Part("requests_expired", lambda limit: bulk.expire_due(limit=limit), CHANGED),
    Part("requests_opened_to_all", lambda limit: bulk.open_unanswered(limit=limit), CHANGED),
    Part("offers_expired", lambda limit: offers.expire_due(limit=limit)),
    # Small batches: each changes availability counts under a lock that every such change takes.
    Part("approvals_ended", lambda limit: approval_expiry.expire_approvals(limit=limit), 50),
    Part("requests_given_back", lambda limit: bulk.release_unapproved(limit=limit), CHANGED),
    Part("approvals_ending_told", lambda limit: approval_expiry.remind_expiring(limit=limit)),
    Part("deliveries_put_on_their_way", notification_retention.revive),
    Part("exports_dropped", lambda limit: exports.drop_expired(limit=limit)),
    Part("idempotency_keys_dropped", idempotency.drop_expired),
    Part("links_dropped", links.drop_expired),
    Part("photos_removed", photos.remove_old),
    Part("visit_links_dropped", visit_links.drop_ended),
    Part("phone_codes_dropped", phones.drop_old_codes),
    Part("sms_usage_dropped", sms_limits.drop_old),
    Part("failed_sign_ins_dropped", throttle.drop_expired),
    Part("sessions_dropped", accounts.drop_old_sessions),
    Part("jobs_dropped", retention.drop_done_jobs),
    Part("runs_dropped", retention.drop_old_runs),
    Part("deliveries_dropped", notification_retention.drop_old_deliveries),
    Part("notifications_dropped", notification_retention.drop_old_notifications),
    Part("reports_dropped", reports.drop_old),
    Part("processes_dropped", fleet.drop_old),
    Part("web_assets_dropped", web_assets.drop_old),
    Part("dashboard_changes_added", lambda limit: counts.add_changes(limit=limit), 20_000),
    Part("mail_files_dropped", lambda _: mail.drop_old_files()),
)


@job(HOUSEKEEPING)
def run(payload: RunPayload, _: Lease) -> None:
    """Run every part, each batch in its own transaction, and record in the run how much each did.

    The job's own transaction starts only at the end, so that a batch's row locks are released when it commits, and
    committed batches remain when a later part takes too long.
    """
    run_id = payload.run_id
    aside(lambda: runs.begin(run_id))
    figures: dict[str, int] = {}
    failed: list[str] = []
    for part in PARTS:
        try:
            figures[part.name] = _in_batches(part, run_id=run_id)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            log.exception("housekeeping.part_failed", part=part.name)
            failed.append(part.name)
    runs.note(run_id, figures={name: number for name, number in figures.items() if number}, failed_parts=failed)
    runs.add(run_id, failed=len(failed))
    runs.close(run_id)


def _in_batches(part: Part, *, run_id: int) -> int:
    """Repeat batches while there is more, up to a limit; the next run continues."""
    began, total = time.monotonic(), 0
    for _ in range(ROUNDS):
        looked_at, done = aside(lambda: _one_batch(part, run_id=run_id))
        total += done
        if looked_at < part.batch or time.monotonic() - began > PART_SECONDS:
            break
    return total


def _one_batch(part: Part, *, run_id: int) -> tuple[int, int]:
    found = part.work(part.batch)
    looked_at, done = (found, found) if isinstance(found, int) else found
    if done:
        runs.add(run_id, sent=done)
    return looked_at, done

"""Housekeeping: what the clock changes by itself, what got stuck, what is old. A part that fails stops no other."""

from collections.abc import Callable
from typing import Final

import structlog

from backend.core import idempotency, mailer
from backend.core.database import db
from backend.core.queue import Lease, retention, runs
from backend.domain.accounts import links, throttle
from backend.domain.accounts import retention as accounts
from backend.domain.exports import actions as exports
from backend.domain.notifications import keeping
from backend.domain.professionals import expiry
from backend.domain.task_requests import bulk
from backend.jobs.registry import job

log = structlog.get_logger(__name__)
ROUNDS: Final = 10
BATCH: Final = 500
PARTS: Final[tuple[tuple[str, Callable[[], int]], ...]] = (
    ("requests_expired", bulk.expire_due),
    ("requests_opened_to_all", bulk.open_unanswered),
    ("approvals_ended", expiry.expire_approvals),
    ("requests_given_back", bulk.give_back_unapproved),
    ("approvals_ending_told", expiry.remind_expiring),
    ("deliveries_put_on_their_way", keeping.revive),
    ("exports_dropped", exports.drop_expired),
    ("idempotency_keys_dropped", idempotency.drop_expired),
    ("links_dropped", links.drop_expired),
    ("failed_sign_ins_dropped", throttle.drop_expired),
    ("sessions_dropped", accounts.drop_old_sessions),
    ("jobs_dropped", retention.drop_done_jobs),
    ("runs_dropped", retention.drop_old_runs),
    ("deliveries_dropped", keeping.drop_old_deliveries),
    ("notifications_dropped", keeping.drop_old_notifications),
    ("mail_files_dropped", mailer.drop_old_files),
)


@job("housekeeping.run")
def run(lease: Lease) -> None:
    """Do every part; the run tells how much each did."""
    run_id = lease.payload["run_id"]
    runs.begin(run_id)
    figures: dict[str, int] = {}
    failed: list[str] = []
    for name, part in PARTS:
        try:
            with db.session.begin_nested():
                figures[name] = _in_batches(part)
        except Exception:
            log.exception("housekeeping_part_failed", part=name)
            failed.append(name)
    runs.note(run_id, figures={name: number for name, number in figures.items() if number}, failed_parts=failed)
    runs.add(run_id, sent=sum(figures.values()), failed=len(failed))
    runs.close(run_id)


def _in_batches(part: Callable[[], int]) -> int:
    """Again while there is more, up to a bound: what is left is done by the next run."""
    total = 0
    for _ in range(ROUNDS):
        done = part()
        total += done
        if done < BATCH:
            break
    return total

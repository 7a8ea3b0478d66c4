"""Makes a restored database safe: ends sessions and links, holds sent messages and reminders, repeats blocks.

All of it is one transaction of the restored database, before any client can connect.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import psycopg
from sqlalchemy import func, select, update

from backend.core.clock import now
from backend.core.db.session import Base, db, transaction
from backend.core.errors import Conflict
from backend.core.queue import admin as queue
from backend.core.queue import runs
from backend.core.security.authz import SYSTEM, Role
from backend.domain.accounts.models import Account, Session
from backend.domain.audit.actions import record
from backend.domain.documents.actions import DROP_TOPIC
from backend.domain.exports import actions as exports
from backend.domain.exports import compression
from backend.domain.moderation import actions as moderation
from backend.domain.notifications.models import Delivery
from backend.domain.professionals.models import Professional
from backend.jobs import topics

REASON: Final = "Not sent after a restore; resend it from the delivery log"
# Jobs that stay inside the application. All others could send something and wait for an admin.
STAYS: Final = frozenset(
    topic.name
    for topic in (
        *(DROP_TOPIC, exports.TOPIC, compression.TOPIC, runs.COMPLETE),
        *(topics.HOUSEKEEPING, topics.AVAILABILITY_RECOUNT, topics.DOCUMENT_SWEEP),
    )
)
OUTGOING_RUNS: Final = ("daily-reminders", "monthly-reports")
PRESENT: Final = """
SELECT a.id, a.created_at, a.username, a.password_hash, a.blocked_at, a.blocked_reason, a.blocked_note, p.approval
  FROM accounts a LEFT JOIN professionals p ON p.account_id = a.id
"""
SHOWN: Final = 20


class PresentAccount(NamedTuple):
    """An account of the current database, in the order of the statement's columns."""

    id: int
    created_at: datetime
    username: str
    password_hash: str
    blocked_at: datetime | None
    blocked_reason: str | None
    blocked_note: str | None
    approval: str | None


@dataclass(slots=True)
class Report:
    """What the operator must know after a restore."""

    blocked: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)
    newer: int = 0

    def lines(self) -> list[str]:
        """Return one line per kind of change that the backup lacks."""
        messages = [f"{self.newer} accounts were created after the backup and no longer exist."] if self.newer else []
        kinds = (
            ("Blocked after the backup, and still blocked", self.blocked),
            ("Changed their password after the backup, and have their previous password again", self.passwords),
            ("Approved or rejected after the backup; decide again", self.approvals),
        )
        for title, names in kinds:
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                messages.append(f"{title}: {', '.join(names[:SHOWN])}{more}.")
        return messages


def read_present(url: str) -> list[PresentAccount] | None:
    """Return the accounts of the current database, or None if it cannot be read."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return [PresentAccount._make(row) for row in connection.execute(PRESENT)]
    except psycopg.Error:
        return None


def run(*, made_at: str, known: list[PresentAccount] | None, keep_mail: bool) -> list[str]:
    """Make the restored database safe and return the messages for the operator."""
    with transaction():
        report = _compare(known or [])
        ended = _end_sessions()
        used = _use_up_links()
        figures = {"sessions_ended": ended, "links_used_up": used}
        if not keep_mail:
            figures |= {"deliveries_skipped": _skip_deliveries(), "jobs_dead_lettered": _hold_jobs()}
            queue.claim_past_periods()
        after = {"made_at": made_at, **figures, "blocked": report.blocked[:SHOWN], "mail_kept": keep_mail}
        record(SYSTEM, "backup_restored", subject_kind="market", after=after)
        no_admin = _no_admin_is_left()
    messages = [", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in figures.items()) + "."]
    if known is None:
        messages.append(
            "There was no database to compare with: accounts blocked after the backup are no longer blocked."
        )
    if no_admin:
        messages.append('No admin can sign in: create one with make admin ARGS="create --username N --email M".')
    return messages + report.lines()


def _compare(known: list[PresentAccount]) -> Report:
    """Repeat blocks that the backup lacks, and record other differences. Accounts match by id and creation time."""
    report = Report()
    rows = db.session.execute(
        select(
            Account.id, Account.created_at, Account.password_hash, Account.blocked_at, Professional.approval
        ).outerjoin(Professional, Professional.account_id == Account.id)
    )
    copy = {(row.id, row.created_at): row for row in rows}
    for present in known:
        row = copy.get((present.id, present.created_at))
        if row is None:
            report.newer += 1
            continue
        if present.blocked_at is not None and row.blocked_at is None:
            _block(present)
            report.blocked.append(present.username)
        if present.password_hash != row.password_hash:
            report.passwords.append(present.username)
        if present.approval != row.approval:
            report.approvals.append(f"{present.username} ({present.approval})")
    return report


def _block(present: PresentAccount) -> None:
    try:
        moderation.block(SYSTEM, account_id=present.id, reason=present.blocked_reason or "", note=present.blocked_note)
    except Conflict:  # the backup's only admin, because another was created later
        values = {"blocked_at": now(), "blocked_reason": present.blocked_reason, "blocked_note": present.blocked_note}
        db.session.execute(update(Account).where(Account.id == present.id).values(**values))


def _end_sessions() -> int:
    statement = update(Session).where(Session.ended_at.is_(None)).values(ended_at=func.now(), end_reason="restored")
    return len(db.session.execute(statement.returning(Session.id)).all())


def _use_up_links() -> int:
    """Invalidate links and codes: all tables of single-use secrets."""
    number = 0
    for table in Base.metadata.sorted_tables:
        if {"used_at", "expires_at"} <= set(table.c.keys()):
            statement = update(table).where(table.c.used_at.is_(None)).values(used_at=func.now())
            number += len(db.session.execute(statement.returning(table.c.used_at)).all())
    return number


def _skip_deliveries() -> int:
    statement = update(Delivery).where(Delivery.state == "waiting").values(state="skipped", error=REASON)
    return len(db.session.execute(statement.returning(Delivery.id)).all())


def _hold_jobs() -> int:
    queue.fail_open_runs(OUTGOING_RUNS, error=REASON)
    return queue.dead_letter_all_but(STAYS, error=REASON)


def _no_admin_is_left() -> bool:
    db.session.flush()
    left = select(Account.id).where(Account.role == Role.ADMIN.value, Account.blocked_at.is_(None)).limit(1)
    return db.session.execute(left).first() is None

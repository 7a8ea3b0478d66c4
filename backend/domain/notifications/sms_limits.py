"""Daily limits of SMS per account and in total; each SMS is counted before it is sent to the gateway."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, or_, select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import day_start
from backend.core.db.session import advisory_lock, db
from backend.core.observability import metrics
from backend.core.security.authz import SYSTEM
from backend.domain.audit.actions import record
from backend.domain.audit.models import AuditEntry
from backend.domain.notifications.messages import message
from backend.domain.notifications.models import Delivery, SmsUsage

KEPT: Final = timedelta(days=7)
REACHED: Final = "sms_limit_reached"


def is_counted(delivery_id: int) -> bool:
    """Return whether the SMS was already counted by an earlier attempt."""
    statement = select(SmsUsage.delivery_id).where(SmsUsage.delivery_id == delivery_id)
    return db.session.execute(statement).one_or_none() is not None


def count(delivery: Delivery, *, phone: str) -> str | None:
    """Count an SMS towards today's limits. Returns why it must not be sent, or None if it may.

    One after the other, however many workers there are: the lock lasts until the transaction ends, which must do
    nothing else. Codes count only towards the total: their own limits are in accounts.phones.
    """
    advisory_lock("sms_limits")
    settings, today = current_settings(), _today()
    is_code = message(delivery.kind).account
    if _used(SmsUsage.at >= today) >= settings.sms_a_day:
        return _reached("market", settings.sms_a_day, today, account_id=None)
    same = or_(SmsUsage.account_id == delivery.account_id, SmsUsage.phone == phone)
    if not is_code and _used(SmsUsage.at >= today, same, ~SmsUsage.is_code) >= settings.sms_per_person_a_day:
        return _reached("person", settings.sms_per_person_a_day, today, account_id=delivery.account_id)
    values = {"delivery_id": delivery.id, "account_id": delivery.account_id, "phone": phone, "is_code": is_code}
    db.session.execute(insert(SmsUsage).values(**values, at=now()))
    return None


def is_used_up() -> bool:
    """Return whether the daily limit of SMS is reached."""
    return _used(SmsUsage.at >= _today()) >= current_settings().sms_a_day


def drop_old(limit: int = 500) -> int:
    """Delete what counts no more, so many at a time; return how many."""
    old = select(SmsUsage.delivery_id).where(SmsUsage.at < now() - KEPT).order_by(SmsUsage.at)
    gone = (
        delete(SmsUsage)
        .where(SmsUsage.delivery_id.in_(old.limit(limit).scalar_subquery()))
        .returning(SmsUsage.delivery_id)
    )
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _used(*conditions: object) -> int:
    statement = select(func.count()).select_from(SmsUsage).where(*conditions)  # type: ignore[arg-type]  # columns
    return int(db.session.execute(statement).scalar_one())


def _today() -> datetime:
    zone = current_settings().zone
    return day_start(now().astimezone(zone).date(), zone)


def _reached(limit: str, number: int, today: datetime, *, account_id: int | None) -> str:
    """Count the suppressed SMS, and record the first of the day in the audit trail."""
    metrics.sms_limited(limit=limit)
    kind = "account" if limit == "person" else "market"
    noted = select(AuditEntry.id).where(
        AuditEntry.action == REACHED,
        AuditEntry.at >= today,
        AuditEntry.subject_kind == kind,
        AuditEntry.subject_id.is_not_distinct_from(account_id),
    )
    if db.session.execute(noted.limit(1)).one_or_none() is None:
        record(SYSTEM, REACHED, subject_id=account_id, subject_kind=kind, after={"a_day": number})
        db.session.flush()
    whose = "this account" if limit == "person" else "the marketplace"
    return f"The daily limit of {number} SMS for {whose} has been reached."

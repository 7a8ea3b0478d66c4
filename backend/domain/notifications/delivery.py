"""Deliver messages by their channels, and record each attempt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.errors import LockNotAvailable
from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, column, func, or_, select, table, update

from backend.core.clock import now
from backend.core.db.pagination import Page, Window, after, cut, decode_cursor, order
from backend.core.db.read_pool import compiled
from backend.core.db.session import db, execute_at_commit, execute_together
from backend.core.errors import Conflict, NotFound, PermanentFailure, RetryLater
from backend.core.failpoints import failpoint
from backend.core.observability import metrics, tracing
from backend.core.queue import Snooze, enqueue
from backend.core.security.authz import Actor
from backend.core.text_tables import DEFAULT
from backend.domain.audit.actions import record
from backend.domain.live_updates.changes import announce_deliveries
from backend.domain.notifications import create, digests, sms_limits, unread_messages, visit_check
from backend.domain.notifications.channels import SENDERS, NotReachable, OutboundMessage, sms
from backend.domain.notifications.channels.message import Contact
from backend.domain.notifications.messages import message, render
from backend.domain.notifications.models import Delivery, DeliveryAttempt, Preferences

# Messages about what is still unread when they are sent; without params there is nothing left.
WORDED_LATE: Final[Mapping[str, Callable[[Delivery], dict[str, object]]]] = {
    digests.KIND: digests.params,
    unread_messages.KIND: unread_messages.params,
}
LONGEST_SEND: Final = "240s"
COLUMNS: Final = tuple(Delivery.__table__.columns)
# Accounts are in a layer above this one, so contacts are read directly from the table.
ACCOUNTS: Final = table(
    "accounts",
    column("id"),
    column("firstname"),
    column("email"),
    column("email_confirmed_at"),
    column("phone"),
    column("phone_verified_at"),
    column("language"),
)
WAITING: Final = compiled(
    select(
        *COLUMNS,
        ACCOUNTS.c.firstname,
        ACCOUNTS.c.email,
        ACCOUNTS.c.email_confirmed_at.is_not(None),
        ACCOUNTS.c.phone,
        ACCOUNTS.c.phone_verified_at.is_not(None),
        Preferences.gchat_webhook,
        func.coalesce(ACCOUNTS.c.language, DEFAULT),
        Preferences.chat_id,
        func.set_config("idle_in_transaction_session_timeout", LONGEST_SEND, True),
    )
    .join(ACCOUNTS, ACCOUNTS.c.id == Delivery.account_id)
    .outerjoin(Preferences, Preferences.account_id == Delivery.account_id)
    .where(Delivery.id == bindparam("delivery_id", type_=BigInteger), Delivery.state == "waiting")
    .with_for_update(of=Delivery, nowait=True)
)
NOTE_ATTEMPT: Final = b"""
    WITH attempt AS (
        INSERT INTO delivery_attempts (delivery_id, number, outcome, detail)
        VALUES (%(id)s, %(number)s, CAST(%(outcome)s AS text), CAST(%(detail)s AS text))
    )
    UPDATE deliveries
       SET attempts = %(number)s, state = CAST(%(state)s AS text),
           error = CASE WHEN %(state)s <> 'sent' THEN CAST(%(detail)s AS text) END,
           sent_at = CASE WHEN %(state)s = 'sent' THEN now() END,
           params = CASE WHEN %(wipe)s THEN '{}'::jsonb ELSE params END
     WHERE id = %(id)s
"""
NEWEST: Final = ((Delivery.created_at, True), (Delivery.id, True))
TRIES_BEFORE_NEXT_CHANNEL: Final = 3
PATIENCE: Final = timedelta(hours=24)
PATIENCE_BEFORE_NEXT_CHANNEL: Final = timedelta(minutes=2)
FIRST_PAUSE_SECONDS: Final = 3
LONGEST_PAUSE_SECONDS: Final = 900
BEING_SENT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Count a run's messages by account; one that continues by its next channel is not counted as failed."""

    sent: int
    failed: int
    waiting: int
    later: int
    later_until: datetime | None
    age_seconds: float


@dataclass(frozen=True, slots=True)
class DeliveryFilters:
    """Filters of deliveries."""

    account_id: int | None = None
    state: str | None = None
    kind: str | None = None
    channel: str | None = None
    run_id: int | None = None


def tally(run_id: int) -> Tally:
    """Count a run's messages by state."""
    waits = Delivery.state == "waiting"
    later = and_(waits, Delivery.not_before > func.now())
    statement = select(
        func.count().filter(Delivery.state == "sent"),
        func.count().filter(Delivery.state == "failed", Delivery.next_channels == []),
        func.count().filter(waits, or_(Delivery.not_before.is_(None), Delivery.not_before <= func.now())),
        func.count().filter(later),
        func.max(Delivery.not_before).filter(later),
        func.coalesce(func.extract("epoch", func.now() - func.min(Delivery.created_at)), 0),
    ).where(Delivery.run_id == run_id)
    sent, failed, waiting, put_off, until, age = db.session.execute(statement).one()
    return Tally(sent, failed, waiting, put_off, until, float(age))


def waiting(delivery_id: int) -> tuple[Delivery, Contact] | None:
    """Return a delivery to be sent, locked until the end of the transaction, and the recipient's contact.

    None if it is no longer waiting. The delivery is a copy outside the session: the result is written with COMMIT. The
    transaction may be idle for longer than usual from here on: if the database ended it while a slow server accepts the
    message, the message would be sent twice.

    Raises RetryLater when another worker is sending it, or froze while sending it: this one does not wait.
    """
    try:
        found = execute_together((WAITING.sql, {**WAITING.values, "delivery_id": delivery_id}))
    except LockNotAvailable as error:
        reason = "Another worker is sending this message."
        raise RetryLater(reason, after_seconds=BEING_SENT_SECONDS, counts_as_attempt=False) from error
    if not found:
        return None
    (row,) = found
    values = {column.name: value for column, value in zip(COLUMNS, row, strict=False)}  # then comes the contact
    delivery = Delivery(**values)
    return delivery, Contact(delivery.account_id, *row[len(COLUMNS) : -1])


def note_attempt(
    delivery_id: int,
    *,
    number: int,
    outcome: str,
    detail: str | None = None,
    state: str = "waiting",
    wipe: bool = False,
) -> None:
    """Record an attempt and update the delivery. ``wipe`` erases the message's content."""
    values = {"id": delivery_id, "number": number, "outcome": outcome, "state": state, "wipe": wipe}
    announce_deliveries()
    execute_at_commit(NOTE_ATTEMPT, {**values, "detail": detail[:500] if detail else None})


def note_interrupted(delivery: Delivery) -> None:
    """Record that the previous worker died, so the message may have been sent."""
    note_attempt(
        delivery.id, number=delivery.attempts + 1, outcome="interrupted", detail="The worker stopped unexpectedly."
    )
    delivery.attempts += 1


def mark_sent(delivery: Delivery, *, detail: str | None = None) -> None:
    """Record success and erase the content of account messages (links with secrets)."""
    metrics.delivery_attempted(channel=delivery.channel, outcome="sent")
    number, wipe = delivery.attempts + 1, message(delivery.kind).account
    note_attempt(delivery.id, number=number, outcome="sent", detail=detail, state="sent", wipe=wipe)


def mark_failed(delivery: Delivery, *, detail: str, skipped: bool = False, or_mail: bool = False) -> None:
    """Record a permanent failure and try the next channel, or email as the last resort."""
    goes_on = create.post_next(delivery, or_mail=or_mail)
    state = "skipped" if skipped and goes_on else "failed"
    metrics.delivery_attempted(channel=delivery.channel, outcome=state)
    wipe = message(delivery.kind).channel == "sms"  # an old code is useless, so do not keep it for sending again
    note_attempt(delivery.id, number=delivery.attempts + 1, outcome="refused", detail=detail, state=state, wipe=wipe)


def mark_needless(delivery: Delivery, *, detail: str) -> None:
    """Record that the message is obsolete; no channel is tried."""
    metrics.delivery_attempted(channel=delivery.channel, outcome="skipped")
    note_attempt(delivery.id, number=delivery.attempts + 1, outcome="refused", detail=detail, state="skipped")


def page(wanted: DeliveryFilters, *, window: Window) -> Page[Delivery]:
    """Return a page of deliveries, newest first."""
    statement = select(Delivery).where(*_conditions(wanted))
    if window.cursor:
        values = decode_cursor("deliveries", window.cursor, length=2)
        statement = statement.where(after(NEWEST, values))
    rows = db.session.execute(statement.order_by(*order(NEWEST)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope="deliveries", values=lambda row: (row.created_at, row.id))


def get(delivery_id: int) -> Delivery:
    """Return a delivery. Raises NotFound."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("Delivery not found.")
    return delivery


def attempts_of(delivery_id: int) -> list[DeliveryAttempt]:
    """Return the attempts of a delivery in order."""
    statement = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == delivery_id).order_by(DeliveryAttempt.id)
    return list(db.session.execute(statement).scalars())


def resend(actor: Actor, *, delivery_id: int) -> Delivery:
    """Send a failed delivery again. Raises NotFound, or Conflict if it was sent or is waiting."""
    delivery = get(delivery_id)
    if delivery.state not in ("failed", "skipped"):
        raise Conflict("Only failed deliveries can be sent again.", code="not_failed")
    if message(delivery.kind).channel == "sms":
        raise Conflict("Codes cannot be sent again. The user can request a new one.", code="not_resendable")
    statement = update(Delivery).where(Delivery.id == delivery_id, Delivery.state == delivery.state)
    values = {"state": "waiting", "next_channels": [], "not_before": func.now()}
    if db.session.execute(statement.values(**values).returning(Delivery.id)).one_or_none() is None:
        raise Conflict("This delivery has already been sent again.", code="not_failed")
    announce_deliveries()
    key, lane = f"d{delivery_id}:{delivery.attempts}", create.lane_of(delivery.kind)
    enqueue(create.TOPIC, create.DeliveryPayload(delivery_id), key=key, lane=lane)
    record(actor, "delivery_resent", subject_id=delivery_id, subject_kind="delivery", after={"kind": delivery.kind})
    db.session.refresh(delivery)
    return delivery


def deliver(delivery_id: int, *, interrupted: bool) -> Snooze | None:
    """Send a waiting delivery, or pass it to the next channel.

    Returns when to try again if the provider is unavailable. Deliveries count their own attempts. Raises RetryLater
    when another worker is sending it.
    """
    found = waiting(delivery_id)
    if found is None:
        return None
    delivery, contact = found
    if interrupted:
        note_interrupted(delivery)
    params = delivery.params
    if _is_too_late(delivery):
        mark_failed(delivery, detail="The message had expired before it could be sent.")
    elif message(delivery.kind).about_visit and not visit_check.applies(delivery):
        mark_needless(delivery, detail=visit_check.OBSOLETE)
    elif delivery.channel == "sms" and not sms_limits.is_counted(delivery.id):
        _count_sms(delivery, contact)
    elif delivery.kind in WORDED_LATE and not (params := WORDED_LATE[delivery.kind](delivery)):
        mark_needless(delivery, detail="All the notifications had already been read.")
    else:
        return _send(delivery, _outbound_message(delivery, contact, params))
    return None


def _conditions(wanted: DeliveryFilters) -> list[ColumnElement[bool]]:
    columns = {
        Delivery.account_id: wanted.account_id,
        Delivery.state: wanted.state,
        Delivery.kind: wanted.kind,
        Delivery.channel: wanted.channel,
        Delivery.run_id: wanted.run_id,
    }
    return [column == value for column, value in columns.items() if value is not None]


def _send(delivery: Delivery, outbound: OutboundMessage) -> Snooze | None:
    try:
        with tracing.sending(delivery.channel):
            response = SENDERS[delivery.channel](outbound)
    except NotReachable as error:
        mark_failed(delivery, detail=str(error), skipped=True, or_mail=_may_be_mailed(delivery))
    except PermanentFailure as error:
        mark_failed(delivery, detail=str(error))
    except RetryLater as error:
        return _retry(delivery, error)
    else:
        failpoint("delivery.sent")
        mark_sent(delivery, detail=response)
    return None


def _count_sms(delivery: Delivery, contact: Contact) -> None:
    """Count an SMS towards the daily limits; a separate job sends it, so that the lock is not held meanwhile."""
    try:
        phone = sms.number(contact, delivery.param("send_to"))
    except NotReachable as error:
        mark_failed(delivery, detail=str(error), skipped=True, or_mail=_may_be_mailed(delivery))
        return
    if reason := sms_limits.count(delivery, phone=phone):
        mark_failed(delivery, detail=reason, skipped=True, or_mail=_may_be_mailed(delivery))
    else:
        create.send_counted(delivery)


def _may_be_mailed(delivery: Delivery) -> bool:
    """Return whether email is the last resort: it is for SMS, push and chat, except for verification codes."""
    return delivery.channel in ("sms", "push", "chat") and not message(delivery.kind).account


def _is_too_late(delivery: Delivery) -> bool:
    until = delivery.param("valid_until")
    return message(delivery.kind).account and until is not None and datetime.fromisoformat(until) <= now()


def _retry(delivery: Delivery, error: RetryLater) -> Snooze | None:
    """Retry with growing delays, up to a limit that is lower if another channel is left; then fail permanently."""
    number = delivery.attempts + 1
    waits = now() - max(delivery.created_at, delivery.not_before or delivery.created_at)
    if delivery.next_channels:
        enough = (
            number >= TRIES_BEFORE_NEXT_CHANNEL if error.counts_as_attempt else waits > PATIENCE_BEFORE_NEXT_CHANNEL
        )
    else:
        enough = waits > PATIENCE
    if enough:
        mark_failed(delivery, detail=str(error))
        return None
    metrics.delivery_attempted(channel=delivery.channel, outcome="put_off")
    if error.counts_as_attempt:
        note_attempt(delivery.id, number=number, outcome="put_off", detail=str(error))
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(number - 1, 10))
    return Snooze(str(error), after_seconds=max(pause, error.after_seconds or 0))


def _outbound_message(delivery: Delivery, contact: Contact, params: Mapping[str, object]) -> OutboundMessage:
    return OutboundMessage(
        delivery_id=delivery.id,
        kind=delivery.kind,
        message_id=delivery.message_id,
        contact=contact,
        message=message(delivery.kind),
        words=render(
            delivery.kind, params, request_id=delivery.request_id, language=contact.language, without_links=True
        ),
        params=params,
        request_id=delivery.request_id,
    )

"""Create notifications and their deliveries, and enqueue them in the same transaction."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from functools import cache
from typing import Final

import orjson
from sqlalchemy import Row, text, update
from sqlalchemy.dialects import postgresql

from backend.core.clock import is_frozen, now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.queue import Lane, Topic, enqueue, enqueue_many
from backend.domain.live_updates import changes
from backend.domain.notifications import digests, preferences
from backend.domain.notifications.messages import message
from backend.domain.notifications.models import Delivery, Notification

ENQUEUED: Final = (Delivery.id, Delivery.not_before, Delivery.kind)
WRITTEN: Final = text("""
  WITH written AS (
       INSERT INTO notifications (account_id, kind, request_id, params, created_at)
       SELECT account_id, kind, request_id, params, :at
         FROM ROWS FROM (jsonb_to_recordset(CAST(:rows AS jsonb))
              AS (account_id bigint, kind text, request_id bigint, params jsonb))
              WITH ORDINALITY AS given (account_id, kind, request_id, params, place)
        ORDER BY place
       RETURNING id, account_id
     )
SELECT written.id, choice.channels, choice.gchat_webhook, choice.quiet_hours, choice.kinds, choice.chat_id
  FROM written LEFT JOIN preferences choice ON choice.account_id = written.account_id
 ORDER BY written.id
""")
# By the clock of the history, so that a message never stands before what it is about.
DELIVERIES: Final = text("""
INSERT INTO deliveries (account_id, kind, subject, position, channel, next_channels, params, request_id,
                        notification_id, run_id, message_id, not_before, created_at)
SELECT account_id, kind, subject, position, channel, next_channels, params, request_id,
       notification_id, run_id, message_id, not_before, :at
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
       account_id bigint, kind text, subject text, position bigint, channel text, next_channels text[], params jsonb,
       request_id bigint, notification_id bigint, run_id bigint, message_id text, not_before timestamptz)
    ON CONFLICT DO NOTHING RETURNING id, not_before, kind
""")


@dataclass(frozen=True, slots=True)
class Note:
    """One notification to one account."""

    account_id: int
    kind: str
    request_id: int | None = None
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliveryPayload:
    """Names the delivery that a job sends."""

    delivery_id: int


TOPIC: Final = Topic("notification.deliver", DeliveryPayload)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one account about one subject, sent only once."""

    account_id: int
    kind: str
    subject: str
    params: Mapping[str, object] = field(default_factory=dict)
    request_id: int | None = None
    notification_id: int | None = None
    run_id: int | None = None
    not_before: datetime | None = None


def notify(
    account_id: int, kind: str, *, request_id: int | None = None, params: Mapping[str, object] | None = None
) -> None:
    """Notify one account. Common params: task, date (a datetime), customer, professional, reason, remarks, pincode, ...

    The texts are rendered when they are read, in the reader's language; sentences with missing values are left out.
    """
    notify_many([Note(account_id, kind, request_id, params or {})])


def notify_many(notes: Sequence[Note]) -> None:
    """Notify many accounts, in as many statements as for one."""
    if not notes:
        return
    rows = [{"account_id": note.account_id, **content} for note, content in zip(notes, _contents(notes), strict=True)]
    # Identity values are given out in the order of the rows, as SQL sorts them before.
    written = db.session.execute(WRITTEN, {"rows": orjson.dumps(rows).decode(), "at": now()}).all()
    messages, choices = [], {}
    for (key, *choice), note in zip(written, notes, strict=True):
        messages.append(
            Outgoing(note.account_id, note.kind, f"n{key}", note.params, note.request_id, notification_id=key)
        )
        if choice[0] is not None:  # else the account has stored no preferences
            choices[note.account_id] = preferences.of_row(choice)
    changes.announce_notifications(note.account_id for note in notes)
    _post(messages, choices)


def _contents(notes: Sequence[Note]) -> Iterator[dict[str, object]]:
    """Return the columns that do not depend on the account, made once for notes that share their params."""
    made: dict[tuple[str, int | None, int], dict[str, object]] = {}
    for note in notes:
        key = note.kind, note.request_id, id(note.params)
        if key not in made:
            if not message(note.kind).in_app:
                raise ValueError(f"{note.kind} is not a notification of the app")
            made[key] = {"kind": note.kind, "request_id": note.request_id, "params": plain(note.params)}
        yield made[key]


def send_account_mail(account_id: int, template: str, params: Mapping[str, object] | None = None) -> None:
    """Send an email about the account itself, regardless of preferences and not shown in the app.

    ``template`` is an account kind of messages.py (password_reset, email_confirmation, ...). What the params hold
    (a link with a secret, say) is wiped from the ledger once the mail is out.
    """
    send_account_mails(template, {account_id: params or {}})


def send_account_mails(template: str, params: Mapping[int, Mapping[str, object]]) -> None:
    """Send an email to each of these accounts, in as many statements as for one; see :func:`send_account_mail`."""
    if not message(template).account:
        raise ValueError(f"{template} is not a mail about the account")
    post([Outgoing(account_id, template, uuid.uuid4().hex, own) for account_id, own in params.items()])


def send_account_sms(account_id: int, template: str, params: Mapping[str, object]) -> None:
    """Send an SMS about the account itself to the number in ``params["send_to"]``; see :func:`send_account_mail`."""
    if message(template).channel != "sms":
        raise ValueError(f"{template} is not an SMS about the account")
    send_account_mail(account_id, template, params)


def mark_read(account_id: int, *, ids: Sequence[int] | None) -> None:
    """Mark the actor's notifications (None: all) as read; ids of others and unknown ones are ignored."""
    statement = update(Notification).where(Notification.account_id == account_id, Notification.read_at.is_(None))
    if ids is not None:
        statement = statement.where(Notification.id.in_(ids))
    db.session.execute(statement.values(read_at=now()).execution_options(synchronize_session=False))
    changes.announce_notifications([account_id])


def post(messages: Sequence[Outgoing]) -> int:
    """Write deliveries and their jobs, set-based, and return how many are new.

    Not written: those that exist already, those that the recipient wants by no channel, and all while the clock is
    frozen, because the demo's past notifications must send no email today.
    """
    return _post(messages, None)


def _post(messages: Sequence[Outgoing], choices: Mapping[int, preferences.Choice] | None) -> int:
    """Write them. ``choices`` are the recipients' preferences where they were read already."""
    if is_frozen():
        return 0
    if choices is None:
        choices = preferences.of(one.account_id for one in messages)
    over = digests.over_limit(one.account_id for one in messages if one.kind == digests.OF)
    allowed = [_digest(one) if one.kind == digests.OF and one.account_id in over else one for one in messages]
    rows = [row for one in allowed for row in _rows(one, choices.get(one.account_id, preferences.Choice()))]
    if not rows:
        return 0
    written = db.session.execute(DELIVERIES, {"rows": orjson.dumps(rows).decode(), "at": now()}).all()
    _enqueue(written)
    return len(written)


def post_next(failed: Delivery, *, or_mail: bool = False) -> bool:
    """Send the message by the next channel after a permanent failure. Returns False if there is none.

    ``or_mail``: where none is left, mail is the last resort.
    """
    channels = failed.next_channels or (["mail"] if or_mail else [])
    if not channels:
        return False
    row = {
        name: getattr(failed, name)
        for name in ("account_id", "kind", "subject", "params", "request_id", "notification_id", "run_id")
    }
    row |= {
        "position": failed.position + 1,
        "channel": channels[0],
        "next_channels": channels[1:],
        "message_id": _message_id(),
        "not_before": None,
    }
    statement = postgresql.insert(Delivery).values(row).on_conflict_do_nothing().returning(*ENQUEUED)
    _enqueue(db.session.execute(statement).all())
    return True


def send_counted(delivery: Delivery) -> None:
    """Enqueue an SMS that was counted against the limits in the current transaction."""
    enqueue(TOPIC, DeliveryPayload(delivery.id), key=f"s{delivery.id}", lane=lane_of(delivery.kind))


def lane_of(kind: str) -> Lane:
    """Return the lane of a message: users wait for account emails, all others are bulk."""
    template = message(kind)
    return Lane.URGENT if template.account or template.mandatory else Lane.BULK


def plain(params: Mapping[str, object]) -> dict[str, object]:
    """Return the values in a form that JSON supports."""
    return {name: _plain(value) for name, value in params.items() if value is not None}


def _digest(one: Outgoing) -> Outgoing:
    """Return the message that replaces this one and others of the same hour; it is written once."""
    due = digests.due_at()
    since = max(now() - digests.SLACK, due - digests.SLACK - digests.HOUR)
    return Outgoing(one.account_id, digests.KIND, due.isoformat(), {"since": since}, not_before=due)


def _rows(one: Outgoing, choice: preferences.Choice) -> Iterator[dict[str, object]]:
    """Return the deliveries of a message: by the first chosen channel, and by email if mandatory."""
    template = message(one.kind)
    quiet_until = choice.not_before(one.not_before or now()) or one.not_before
    if template.account:
        yield _row(one, (template.channel,), position=0, not_before=None)
        return
    channels = choice.channels_for(template.follows or one.kind)
    if template.mandatory:
        yield _row(one, ("mail",), position=0, not_before=None)
        channels = tuple(channel for channel in channels if channel != "mail")
    if channels:
        yield _row(one, channels, position=int(template.mandatory), not_before=quiet_until)


def _row(one: Outgoing, channels: Sequence[str], *, position: int, not_before: datetime | None) -> dict[str, object]:
    return {
        "account_id": one.account_id,
        "kind": one.kind,
        "subject": one.subject,
        "position": position,
        "channel": channels[0],
        "next_channels": list(channels[1:]),
        "params": plain(one.params),
        "request_id": one.request_id,
        "notification_id": one.notification_id,
        "run_id": one.run_id,
        "message_id": _message_id(),
        "not_before": not_before,
    }


def _enqueue(written: Sequence[Row[int, datetime | None, str]]) -> None:
    if written:
        changes.announce_deliveries()
    alike: dict[tuple[datetime | None, Lane], list[int]] = defaultdict(list)
    for delivery_id, not_before, kind in written:
        alike[not_before, lane_of(kind)].append(delivery_id)
    for (not_before, lane), ids in alike.items():
        jobs = [(f"d{delivery_id}", DeliveryPayload(delivery_id)) for delivery_id in ids]
        enqueue_many(TOPIC, jobs, run_at=not_before, lane=lane)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return plain(value)
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _message_id() -> str:
    """Return a Message-ID, stored per delivery so that a repeat after a crash has the same one."""
    return f"<{uuid.uuid4().hex}@{_domain(current_settings().mail_default_sender)}>"


@cache
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"

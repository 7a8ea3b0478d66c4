"""Actions on conversations: write, mark as read, report, settle a report."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record
from backend.domain.conversations import access
from backend.domain.conversations.access import Facts
from backend.domain.conversations.errors import (
    AlreadyReported,
    ConversationClosed,
    NothingToReport,
    PhotoNotAllowed,
    ReportNotFound,
    ReportSettled,
)
from backend.domain.conversations.masking import Masked, mask
from backend.domain.conversations.split_numbers import LONGEST_EARLIER, MOST_EARLIER, mask_continued, may_continue
from backend.domain.live_updates import changes
from backend.domain.notifications.create import Outgoing, post
from backend.domain.notifications.unread_messages import KIND
from backend.domain.photos import actions as photos
from backend.domain.photos.files import StoredPicture

# The conversation's row is locked first, then the message gets its id: ids are in the order of the commits, so that a
# reader who continues after the last id misses none.
WRITE: Final = """
  WITH thread AS (
       INSERT INTO conversations AS c (request_id, professional_id, customer_id, {other}_unread, created_at,
                                       last_message_at)
       VALUES (:request_id, :professional_id, :customer_id, 1, :at, :at)
       ON CONFLICT (request_id, professional_id) DO UPDATE
          SET {other}_unread = c.{other}_unread + 1, last_message_at = greatest(c.last_message_at, :at)
       RETURNING request_id, professional_id, {other}_digest_from AS digest_from, last_message_at
     )
INSERT INTO messages (request_id, professional_id, author_id, author_role, body, masked, created_at)
SELECT request_id, professional_id, :author_id, :author_role, :body, :masked, last_message_at FROM thread
RETURNING id, author_id, author_role, body, masked, created_at, false AS read,
          (SELECT digest_from FROM thread) AS digest_from
"""
# Where parts of a number are hidden, messages of one author are written one after the other, the first two as well.
BEGIN: Final = text("""
INSERT INTO conversations AS c (request_id, professional_id, customer_id, created_at, last_message_at)
VALUES (:request_id, :professional_id, :customer_id, :at, :at)
ON CONFLICT (request_id, professional_id) DO UPDATE SET last_message_at = c.last_message_at
""")
EARLIER: Final = text("""
SELECT right(body, :length) FROM messages
 WHERE request_id = :request_id AND professional_id = :professional_id AND author_id = :author_id
 ORDER BY id DESC LIMIT :most
""")
LOCK: Final = text("""
SELECT customer_id FROM conversations
 WHERE request_id = :request_id AND professional_id = :professional_id FOR NO KEY UPDATE
""")
# A statement after the lock, so that it sees each message that was committed before.
MARK_READ: Final = """
  WITH mark AS (
       SELECT greatest(c.{me}_read_to, least(:up_to, (SELECT max(m.id) FROM messages m
                WHERE m.request_id = c.request_id AND m.professional_id = c.professional_id))) AS id,
              c.{me}_read_to AS before
         FROM conversations c WHERE c.request_id = :request_id AND c.professional_id = :professional_id
     ), unread AS (
       SELECT count(*) AS number, min(m.id) AS first FROM messages m, mark
        WHERE m.request_id = :request_id AND m.professional_id = :professional_id AND m.id > mark.id
          AND m.author_role = :other
     )
UPDATE conversations c
   SET {me}_read_to = mark.id, {me}_unread = unread.number,
       {me}_digest_from = CASE WHEN c.{me}_digest_from > mark.id THEN c.{me}_digest_from END
  FROM mark, unread
 WHERE c.request_id = :request_id AND c.professional_id = :professional_id
RETURNING unread.number, unread.first, c.{me}_digest_from, mark.id > mark.before AS is_changed
"""
KEEP_DIGEST: Final = """
UPDATE conversations SET {side}_digest_from = :message_id
 WHERE request_id = :request_id AND professional_id = :professional_id
"""
REPORT: Final = text("""
INSERT INTO conversation_reports (request_id, professional_id, reporter_id, reporter_role, reason, created_at)
VALUES (:request_id, :professional_id, :reporter_id, :reporter_role, :reason, :at)
ON CONFLICT (request_id, professional_id, reporter_id) WHERE settled_at IS NULL DO NOTHING RETURNING id
""")
SETTLE: Final = text("""
UPDATE conversation_reports SET settled_at = :at, settled_by = :admin_id, note = :note
 WHERE id = :id AND settled_at IS NULL RETURNING request_id, professional_id
""")
REPORT_IS_THERE: Final = text("SELECT FROM conversation_reports WHERE id = :id")


class Message(NamedTuple):
    """A message as readers see it. ``read``: the side that it was written to has read it."""

    id: int
    author_id: int
    author_role: str
    body: str
    masked: bool
    created_at: datetime
    read: bool
    photo_id: int | None


def check_photo(actor: Actor, *, request_id: int, professional_id: int | None = None) -> None:
    """Refuse early what `write` would refuse of a message with a photo: before the photo is inspected."""
    facts = access.read(actor, request_id=request_id)
    _open_conversation(actor, facts, professional_id=professional_id, has_photo=True)


def write(
    actor: Actor,
    *,
    request_id: int,
    body: str,
    professional_id: int | None = None,
    photo: StoredPicture | None = None,
) -> Message:
    """Write a message, with contact details hidden where the rules say so.

    Raises:
        ConversationClosed: The professional is not, or no longer, on the request, or it ended more than a week ago.
        PhotoNotAllowed: Contact details are hidden in this conversation.
        Invalid: The request has several conversations and none was named.
    """
    # Before the request is locked: it takes a while.
    hidden = mask(body, region=current_settings().market_country)
    may_have_part = may_continue(hidden.text)
    facts = access.lock(actor, request_id=request_id)
    chosen = _open_conversation(actor, facts, professional_id=professional_id, has_photo=photo is not None)
    values: dict[str, object] = {
        "request_id": request_id,
        "professional_id": chosen,
        "customer_id": facts.customer_id,
        "author_id": actor.id,
        "author_role": actor.role.value,
        "at": now(),
    }
    hides = access.hides_contact_details(facts)
    shown = hidden if hides else Masked(body, is_masked=False)
    if hides and may_have_part:
        shown = _without_parts(hidden, values)
    values |= {"body": shown.text, "masked": shown.is_masked}
    recipient = _other(actor.role)
    *columns, digest_from = db.session.execute(_for_side(WRITE, recipient), values).one()
    message = Message._make([*columns, None])
    if photo is not None:
        added = photos.add_to_message(
            actor, request_id=request_id, professional_id=chosen, message_id=message.id, stored=photo
        )
        message = message._replace(photo_id=added.id)
    if digest_from is None:
        _notify_later(facts, chosen, recipient, first_unread=message.id)
    changes.announce_messages(request_id, accounts=(facts.customer_id, chosen), message_id=message.id)
    return message


def _without_parts(hidden: Masked, values: Mapping[str, object]) -> Masked:
    """Return the message also without the part of a phone number that continues the author's earlier messages."""
    db.session.execute(BEGIN, values)
    limits = {"length": LONGEST_EARLIER, "most": MOST_EARLIER}
    newest_first = db.session.execute(EARLIER, {**values, **limits}).scalars().all()
    return mask_continued(hidden, earlier=newest_first[::-1], region=current_settings().market_country)


def _open_conversation(actor: Actor, facts: Facts, *, professional_id: int | None, has_photo: bool) -> int:
    """Return the professional of the conversation meant, in which the actor can write."""
    chosen = access.choose(actor, facts, professional_id=professional_id)
    if chosen is None or not access.is_open(facts, professional_id=chosen):
        raise ConversationClosed(is_over=chosen is not None)
    if has_photo and access.hides_contact_details(facts):
        raise PhotoNotAllowed(is_accepted=facts.accepted_at is not None)
    return chosen


def mark_read(actor: Actor, *, request_id: int, up_to: int, professional_id: int | None = None) -> int:
    """Mark the other side's messages up to this one as read; return how many remain unread in the conversation."""
    facts = access.read(actor, request_id=request_id)
    chosen = access.choose(actor, facts, professional_id=professional_id)
    if chosen is None or chosen not in facts.begun:
        return 0
    thread = {"request_id": request_id, "professional_id": chosen}
    db.session.execute(LOCK, thread).one()
    values = {**thread, "up_to": up_to, "other": _other(actor.role).value}
    number, first, digest_from, is_changed = db.session.execute(_for_side(MARK_READ, actor.role), values).one()
    if number and digest_from is None:
        _notify_later(facts, chosen, actor.role, first_unread=first)
    if is_changed:
        changes.announce_messages(request_id, accounts=(facts.customer_id, chosen))
    return int(number)


def report(actor: Actor, *, request_id: int, reason: str, professional_id: int | None = None) -> None:
    """Ask the admins to read a conversation. Raises NothingToReport, AlreadyReported."""
    facts = access.read(actor, request_id=request_id)
    chosen = access.choose(actor, facts, professional_id=professional_id)
    if chosen is None or chosen not in facts.begun:
        raise NothingToReport
    values = {
        "request_id": request_id,
        "professional_id": chosen,
        "reporter_id": actor.id,
        "reporter_role": actor.role.value,
        "reason": reason,
        "at": now(),
    }
    if db.session.execute(REPORT, values).one_or_none() is None:
        raise AlreadyReported
    changes.announce_messages(request_id, accounts=[actor.id], is_reported=True)


def settle(actor: Actor, *, report_id: int, note: str | None) -> None:
    """Settle a report: unless another one is open, admins can read the conversation no longer.

    Raises ReportNotFound, or ReportSettled if it was settled before.
    """
    values = {"id": report_id, "admin_id": actor.id, "note": note, "at": now()}
    settled = db.session.execute(SETTLE, values).one_or_none()
    if settled is None:
        if db.session.execute(REPORT_IS_THERE, {"id": report_id}).one_or_none() is None:
            raise ReportNotFound
        raise ReportSettled
    request_id, professional_id = settled
    about: Mapping[str, object] = {"professional_id": professional_id, "report_id": report_id, "note": note}
    record(actor, "conversation_report_settled", subject_id=request_id, subject_kind="request", after=about)
    changes.announce_messages(request_id, accounts=[], is_reported=True)


def _notify_later(facts: Facts, professional_id: int, recipient: Role, *, first_unread: int) -> None:
    """Notify the recipient unless they read the message in time; until they read it, no second time."""
    minutes = current_settings().message_digest_minutes
    if not minutes:
        return
    thread = {"request_id": facts.request_id, "professional_id": professional_id}
    db.session.execute(_for_side(KEEP_DIGEST, recipient), {**thread, "message_id": first_unread})
    account_id = facts.customer_id if recipient is Role.CUSTOMER else professional_id
    outgoing = Outgoing(
        account_id,
        KIND,
        f"{facts.request_id}:{professional_id}:{first_unread}",
        {"professional_id": professional_id, "first_unread": first_unread},
        request_id=facts.request_id,
        not_before=now() + timedelta(minutes=minutes),
    )
    post([outgoing])


def _other(role: Role) -> Role:
    return Role.PROFESSIONAL if role is Role.CUSTOMER else Role.CUSTOMER


@cache
def _for_side(statement: str, side: Role) -> TextClause:
    """Return the statement on the columns of one side."""
    return text(statement.format(me=side.value, other=side.value, side=side.value))

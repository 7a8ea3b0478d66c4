"""Reading conversations, their messages, and reports."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from backend.core.db import pagination, read_pool
from backend.core.db.pagination import Page, Window
from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record
from backend.domain.conversations import access
from backend.domain.conversations.actions import Message

MESSAGES: Final = """
SELECT m.id, m.author_id, m.author_role, m.body, m.masked, m.created_at,
       m.id <= CASE m.author_role WHEN 'customer' THEN c.professional_read_to ELSE c.customer_read_to END AS read,
       photo.id AS photo_id
  FROM conversations c
  JOIN messages m ON m.request_id = c.request_id AND m.professional_id = c.professional_id
  LEFT JOIN request_photos photo ON photo.message_id = m.id AND photo.removed_at IS NULL
 WHERE c.request_id = :request_id AND c.professional_id = :professional_id {after}
 ORDER BY m.id {direction} LIMIT :rows
"""
# The newest conversations of one side: cut first, so that names and last messages are looked up for one page only.
MINE: Final = """
SELECT page.request_id, page.professional_id, page.unread, page.last_message_at, r.task_name, r.status,
       coalesce(r.professional_id = page.professional_id OR r.asked_professional_id = page.professional_id, false),
       customer.firstname, professional.firstname, p.compname, last.body, last.author_role
  FROM (SELECT request_id, professional_id, customer_id, {me}_unread AS unread, last_message_at
          FROM conversations
         WHERE {me}_id = :me {unread} {after}
         ORDER BY last_message_at DESC, request_id DESC, professional_id DESC LIMIT :rows) page
  JOIN task_requests r ON r.id = page.request_id
  JOIN accounts customer ON customer.id = page.customer_id
  JOIN accounts professional ON professional.id = page.professional_id
  JOIN professionals p ON p.account_id = page.professional_id
  CROSS JOIN LATERAL (SELECT m.body, m.author_role FROM messages m
                       WHERE m.request_id = page.request_id AND m.professional_id = page.professional_id
                       ORDER BY m.id DESC LIMIT 1) last
 ORDER BY page.last_message_at DESC, page.request_id DESC, page.professional_id DESC
"""
UNREAD: Final = "SELECT coalesce(sum({me}_unread), 0) FROM conversations WHERE {me}_id = :me AND {me}_unread > 0"
SIDES: Final = text("""
SELECT professional.id, customer.firstname, professional.firstname, p.compname,
       CASE :role WHEN 'customer' THEN coalesce(c.customer_unread, 0)
                  WHEN 'professional' THEN coalesce(c.professional_unread, 0) ELSE 0 END,
       c.last_message_at,
       EXISTS (SELECT FROM conversation_reports o
                WHERE o.request_id = r.id AND o.professional_id = professional.id AND o.settled_at IS NULL
                  AND (o.reporter_id = :me OR :role = 'admin'))
  FROM task_requests r
  JOIN accounts customer ON customer.id = r.customer_id
  JOIN accounts professional ON professional.id = ANY (:professional_ids)
  JOIN professionals p ON p.account_id = professional.id
  LEFT JOIN conversations c ON c.request_id = r.id AND c.professional_id = professional.id
 WHERE r.id = :request_id
 ORDER BY c.last_message_at DESC NULLS FIRST, professional.id
""")
REPORTS: Final = """
SELECT o.id, o.request_id, o.professional_id, o.reporter_id, o.reporter_role, o.reason, o.created_at, o.settled_at,
       o.note, r.task_name, customer.id, customer.firstname, professional.firstname, p.compname
  FROM (SELECT * FROM conversation_reports
         WHERE settled_at IS {settled} {after} ORDER BY created_at DESC, id DESC LIMIT :rows) o
  JOIN task_requests r ON r.id = o.request_id
  JOIN accounts customer ON customer.id = r.customer_id
  JOIN accounts professional ON professional.id = o.professional_id
  JOIN professionals p ON p.account_id = o.professional_id
 ORDER BY o.created_at DESC, o.id DESC
"""


class ConversationSummary(NamedTuple):
    """A conversation in a list of the actor's own. ``is_current``: its professional is on the request."""

    request_id: int
    professional_id: int
    unread: int
    last_message_at: datetime
    task_name: str
    status: str
    is_current: bool
    customer_firstname: str
    professional_firstname: str
    compname: str
    last_body: str
    last_author_role: str


class ConversationOfRequest(NamedTuple):
    """A conversation about one request, which may have no message yet. ``takes_photos``: messages can have photos."""

    professional_id: int
    customer_firstname: str
    professional_firstname: str
    compname: str
    unread: int
    last_message_at: datetime | None
    is_reported: bool
    is_open: bool
    closes_at: datetime | None
    takes_photos: bool


class Report(NamedTuple):
    """A report with what names its conversation."""

    id: int
    request_id: int
    professional_id: int
    reporter_id: int
    reporter_role: str
    reason: str
    created_at: datetime
    settled_at: datetime | None
    note: str | None
    task_name: str
    customer_id: int
    customer_firstname: str
    professional_firstname: str
    compname: str


def page(
    actor: Actor, *, request_id: int, window: Window, professional_id: int | None = None, newest_first: bool = False
) -> Page[Message]:
    """Return a page of a conversation's messages by id.

    Each reading by an admin is recorded in the transaction of the call, whose commit comes before the response.

    Raises:
        Invalid: The request has several conversations and none was named.
    """
    facts = access.read(actor, request_id=request_id)
    chosen = access.choose(actor, facts, professional_id=professional_id)
    if actor.role is Role.ADMIN:
        about = {"professional_id": chosen}
        record(actor, "conversation_viewed", subject_id=request_id, subject_kind="request", after=about)
        db.session.flush()
    if chosen is None:
        return Page([], None)
    scope = f"messages:{request_id}:{chosen}:{newest_first}"
    values: dict[str, object] = {"request_id": request_id, "professional_id": chosen, "rows": window.limit + 1}
    if window.cursor is not None:
        [values["after"]] = pagination.decode_cursor(scope, window.cursor, length=1)
    rows = read_pool.rows(messages_statement(newest_first=newest_first, goes_on=window.cursor is not None), values)
    found = [Message._make(row) for row in rows]
    return pagination.cut(found, window=window, scope=scope, values=lambda message: [message.id])


def of_request(actor: Actor, *, request_id: int) -> list[ConversationOfRequest]:
    """Return the conversations about a request that the actor may read or begin, the open ones first."""
    facts = access.read(actor, request_id=request_id)
    ids = access.conversations_of(actor, facts)
    if not ids:
        return []
    values = {"request_id": request_id, "professional_ids": ids, "me": actor.id, "role": actor.role.value}
    closes_at, takes_photos = access.closes_at(facts), not access.hides_contact_details(facts)
    found = [
        ConversationOfRequest._make((*row, access.is_open(facts, professional_id=row[0]), closes_at, takes_photos))
        for row in read_pool.rows(SIDES, values)
    ]
    return sorted(found, key=lambda conversation: not conversation.is_open)


def mine(actor: Actor, *, window: Window, unread_only: bool = False) -> Page[ConversationSummary]:
    """Return a page of the actor's conversations, the latest message first."""
    scope = f"conversations:{actor.role}:{unread_only}"
    values: dict[str, object] = {"me": actor.id, "rows": window.limit + 1}
    if window.cursor is not None:
        names = ("after_at", "after_request", "after_professional")
        values |= zip(names, pagination.decode_cursor(scope, window.cursor, length=3), strict=True)
    statement = list_statement(actor.role, unread_only=unread_only, goes_on=window.cursor is not None)
    found = [ConversationSummary._make(row) for row in read_pool.rows(statement, values)]
    return pagination.cut(found, window=window, scope=scope, values=_position)


def unread_count(actor: Actor) -> int:
    """Return the number of the actor's unread messages in all conversations."""
    [number] = read_pool.one(unread_statement(actor.role), {"me": actor.id})
    return int(number)


def reports(*, window: Window, settled: bool) -> Page[Report]:
    """Return a page of reports, newest first."""
    scope = f"conversation_reports:{settled}"
    values: dict[str, object] = {"rows": window.limit + 1}
    if window.cursor is not None:
        names = ("after_at", "after_id")
        values |= zip(names, pagination.decode_cursor(scope, window.cursor, length=2), strict=True)
    rows = read_pool.rows(reports_statement(settled=settled, goes_on=window.cursor is not None), values)
    found = [Report._make(row) for row in rows]
    return pagination.cut(found, window=window, scope=scope, values=lambda report: [report.created_at, report.id])


def _position(row: ConversationSummary) -> Sequence[datetime | int]:
    return row.last_message_at, row.request_id, row.professional_id


@cache
def messages_statement(*, newest_first: bool, goes_on: bool) -> TextClause:
    """Return the statement of a page of messages."""
    after = f"AND m.id {'<' if newest_first else '>'} :after" if goes_on else ""
    return text(MESSAGES.format(after=after, direction="DESC" if newest_first else "ASC"))


@cache
def list_statement(role: Role, *, unread_only: bool, goes_on: bool) -> TextClause:
    """Return the statement of a page of conversations of one side."""
    after = (
        "AND (last_message_at, request_id, professional_id)"
        " < (CAST(:after_at AS timestamptz), :after_request, :after_professional)"
    )
    unread = f"AND {role.value}_unread > 0" if unread_only else ""
    return text(MINE.format(me=role.value, unread=unread, after=after if goes_on else ""))


@cache
def unread_statement(role: Role) -> TextClause:
    """Return the statement that counts the unread messages of one side."""
    return text(UNREAD.format(me=role.value))


@cache
def reports_statement(*, settled: bool, goes_on: bool) -> TextClause:
    """Return the statement of a page of reports."""
    after = "AND (created_at, id) < (CAST(:after_at AS timestamptz), :after_id)" if goes_on else ""
    return text(REPORTS.format(settled="NOT NULL" if settled else "NULL", after=after))

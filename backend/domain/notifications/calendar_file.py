"""The calendar file of a visit, attached to emails about it (RFC 5545; METHOD:PUBLISH of RFC 5546)."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.mail import Attachment

# After these a visit stands in the recipient's calendar, or no longer does.
KINDS: Final = frozenset(
    {"request_accepted", "request_due_tomorrow", "request_changed", "request_released", "request_cancelled"}
)
NAME: Final = "visit.ics"
CONTENT_TYPE: Final = "text/calendar; method=PUBLISH; charset=utf-8"
# Requests are in a layer above this one, so the row is read directly from the table. It is read when the email is sent:
# content and version then agree, and the address is never copied into messages.
VISIT: Final = text("""
    SELECT r.task_name, r.date_of_request, r.time_required, r.address, r.pincode, r.version,
           r.status = 'accepted' AND :account_id IN (r.customer_id, r.professional_id) AS takes_place,
           r.customer_id = :account_id OR EXISTS (
               SELECT 1 FROM request_events e
                WHERE e.request_id = r.id AND e.action = 'accept' AND e.actor_id = :account_id) AS is_concerned
      FROM task_requests r WHERE r.id = :request_id
""")


class _Visit(NamedTuple):
    task: str
    date: datetime
    minutes: int
    address: str
    pincode: str
    version: int
    takes_place: bool
    is_concerned: bool


def attachment(kind: str, *, account_id: int, request_id: int | None, url: str) -> Attachment | None:
    """Return the file for a message, or None where the recipient has no such visit.

    The UID stays the same for a request, and SEQUENCE is its version, so that calendars replace what they have. Who no
    longer takes part gets a cancellation, without the address.
    """
    if kind not in KINDS or request_id is None:
        return None
    row = db.session.execute(VISIT, {"request_id": request_id, "account_id": account_id}).one_or_none()
    visit = None if row is None else _Visit._make(row)
    if visit is None or not visit.is_concerned:
        return None
    return Attachment(NAME, CONTENT_TYPE, _calendar(visit, request_id=request_id, url=url))


def _calendar(visit: _Visit, *, request_id: int, url: str) -> bytes:
    from icalendar import Calendar, Event  # imported here: 3 MB that only processes that send email need

    settings = current_settings()
    event = Event.new(
        uid=f"request-{request_id}@{urlsplit(settings.public_url).hostname}",
        stamp=now().replace(microsecond=0),
        sequence=visit.version,
        start=visit.date,
        end=visit.date + timedelta(minutes=visit.minutes),
        summary=f"{settings.market_name}: {visit.task}",
        location=f"{visit.address}, {visit.pincode}" if visit.takes_place else None,
        url=url,
    )
    event.add("status", "CONFIRMED" if visit.takes_place else "CANCELLED")
    calendar = Calendar()
    calendar.add("prodid", "-//Doorstep//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())

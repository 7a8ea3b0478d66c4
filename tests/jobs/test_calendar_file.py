"""Calendar files of visits: what emails carry, for whom, and how calendars take changes."""

from datetime import UTC, timedelta
from email.message import Message
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar

from tests.factories.jobs import work
from tests.factories.requests import WHY, RequestMarket, do, moment
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users

ADDRESS = "7 Church Street; flat 2,\nground floor"
TOMORROW = moment(days=1)


@pytest.fixture
def market(mailing: Flask) -> RequestMarket:
    return RequestMarket(Users(mailing))


@pytest.fixture
def asha(market: RequestMarket) -> User:
    return market.users.customer()


@pytest.fixture
def ravi(market: RequestMarket) -> User:
    return market.professional()


def accepted(market: RequestMarket, asha: User, ravi: User) -> str:
    changes = {"date_of_request": TOMORROW.isoformat(), "address": ADDRESS.replace("\n", " "), "pincode": "560001"}
    return f"/requests/{market.bring_to('accepted', asha, ravi, **changes)['id']}"


def files(smtp: SmtpServer, user: User, subject: str) -> list[Any]:
    """Return the events of the calendar files in the user's mails of this subject, parsed."""
    work()
    mails = [one for one in smtp.to(f"{user.username}@example.org") if str(one["Subject"]).startswith(subject)]
    assert mails
    return [event for mail in mails for event in events(mail)]


def events(mail: Message) -> list[Any]:
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    calendars = [Calendar.from_ical(part.get_payload(decode=True)) for part in parts]  # type: ignore[arg-type]  # bytes
    assert all(calendar["METHOD"] == "PUBLISH" for calendar in calendars)
    assert all(part.get_param("method") == "PUBLISH" for part in parts)
    return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def test_acceptance_mail_carries_the_visit_for_the_customers_calendar(
    market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer
) -> None:
    path = accepted(market, asha, ravi)
    (event,) = files(smtp, asha, "Accepted")
    assert event.start.astimezone(UTC) == TOMORROW
    assert event.end - event.start == timedelta(minutes=asha.get(path).json["time_required"])
    assert event["STATUS"] == "CONFIRMED"
    assert "Plumbing" in event["SUMMARY"]
    assert event["LOCATION"] == f"{ADDRESS.replace(chr(10), ' ')}, 560001"
    assert event["URL"].endswith(f"/app{path}")


def test_released_visit_is_cancelled_in_calendar_by_same_uid_and_higher_sequence(
    market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer
) -> None:
    path = accepted(market, asha, ravi)
    (before,) = files(smtp, asha, "Accepted")
    do(ravi, f"{path}/release", WHY)
    (after,) = files(smtp, asha, ravi.username.capitalize())
    assert (after["UID"], after["STATUS"]) == (before["UID"], "CANCELLED")
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert "LOCATION" not in after


def test_visit_accepted_again_is_confirmed_with_higher_sequence(
    market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer
) -> None:
    path = accepted(market, asha, ravi)
    files(smtp, asha, "Accepted")
    later = TOMORROW + timedelta(hours=3)
    assert asha.patch(path, {"date_of_request": later.isoformat()}).status_code == 200
    do(ravi, f"{path}/accept")
    first, second = files(smtp, asha, "Accepted")
    assert (second["UID"], second["STATUS"]) == (first["UID"], "CONFIRMED")
    assert second["SEQUENCE"] > first["SEQUENCE"]
    assert second.start.astimezone(UTC) == later


@pytest.mark.parametrize("end", ["cancel", "move"])
def test_professional_gets_cancellation_without_address(
    market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer, end: str
) -> None:
    path = accepted(market, asha, ravi)
    if end == "cancel":
        do(asha, f"{path}/cancel", WHY)
    else:
        assert asha.patch(path, {"date_of_request": (TOMORROW + timedelta(days=1)).isoformat()}).status_code == 200
    (event,) = files(smtp, ravi, "Cancelled" if end == "cancel" else "Request changed")
    assert event["STATUS"] == "CANCELLED"
    assert "LOCATION" not in event
    assert "Church" not in event.to_ical().decode()


def test_professional_who_was_only_asked_gets_no_file(
    market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer
) -> None:
    made = market.ask(asha, professional_id=ravi.id)
    do(asha, f"/requests/{made['id']}/cancel", WHY)
    assert files(smtp, ravi, "Cancelled") == []


def test_mails_of_other_kinds_carry_no_file(market: RequestMarket, asha: User, ravi: User, smtp: SmtpServer) -> None:
    path = accepted(market, asha, ravi)
    do(ravi, f"{path}/complete")
    assert files(smtp, asha, "Completed") == []

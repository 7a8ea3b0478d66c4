"""The hourly limit of messages about new requests, and the digest that covers the rest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core import clock
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.domain.notifications import create, preferences
from backend.domain.notifications.preferences import Choice
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

LIMIT = 3


@pytest.fixture
def limited(another: Another, smtp: SmtpServer) -> Flask:
    return another(mail_server="127.0.0.1", mail_port=smtp.port, request_messages_an_hour=LIMIT)


def notify(user: User, times: int = 1) -> None:
    for number in range(times):
        with transaction():
            params = {"task": "Plumbing", "pincode": "560001", "remarks": "Sign in at https://evil.example/doorstep"}
            create.notify(user.id, "request_new", request_id=number + 1, params=params)


def due_now() -> None:
    with transaction():
        db.session.execute(
            text("UPDATE deliveries SET not_before = now() - interval '1 second' WHERE state = 'waiting'")
        )


def subjects(smtp: SmtpServer) -> list[str]:
    return [str(mail["Subject"]) for _, mail in smtp.mails]


def test_request_messages_over_hourly_limit_are_sent_as_one_digest(
    limited: Flask, users: Users, smtp: SmtpServer
) -> None:
    ravi, uma = users.customer(), users.customer()
    notify(ravi, times=LIMIT + 7)
    notify(uma)
    work()
    assert len(smtp.mails) == LIMIT + 1
    digest = deliveries(kind="requests_waiting")
    assert [(one.account_id, one.state) for one in digest] == [(ravi.id, "waiting")]
    assert digest[0].not_before is not None
    assert digest[0].not_before - datetime.now(UTC) < timedelta(hours=1, minutes=1)
    assert len(ravi.get("/notifications").json["items"]) == LIMIT + 7, "the app shows all of them"
    due_now()
    work(now=True)
    assert subjects(smtp)[LIMIT + 1 :] == ["7 more new requests"]
    plain = next(part for part in smtp.mails[-1][1].walk() if part.get_content_type() == "text/plain").as_string()
    assert "We sent you 3 messages about new requests within an hour." in plain
    assert "/app/inbox" in plain


def test_digest_after_notifications_were_read_is_skipped(limited: Flask, users: Users, smtp: SmtpServer) -> None:
    ravi = users.customer()
    notify(ravi, times=LIMIT + 1)
    ravi.post("/notifications/read", {"all": True})
    due_now()
    work(now=True)
    assert len(smtp.mails) == LIMIT
    assert deliveries(kind="requests_waiting")[0].state == "skipped"


def test_request_messages_after_an_hour_are_sent_individually_again(
    limited: Flask, users: Users, smtp: SmtpServer
) -> None:
    ravi = users.customer()
    notify(ravi, times=LIMIT)
    with transaction():
        db.session.execute(text("UPDATE deliveries SET created_at = created_at - interval '61 minutes'"))
    notify(ravi)
    work()
    assert len(smtp.mails) == LIMIT + 1


def test_request_messages_delayed_by_quiet_hours_count_in_hour_of_delivery(limited: Flask, users: Users) -> None:
    ravi = users.customer()
    there = clock.now().astimezone(current_settings().zone)
    quiet = {"from": f"{there - timedelta(hours=5):%H:%M}", "to": f"{there + timedelta(hours=5):%H:%M}"}
    with transaction():
        preferences.put(ravi.id, Choice(quiet_hours=quiet))
    for _ in range(3):
        notify(ravi, times=2)
        with transaction():
            db.session.execute(text("UPDATE deliveries SET created_at = created_at - interval '2 hours'"))
    assert len(deliveries(kind="request_new")) == LIMIT
    ends = {one.not_before for one in deliveries(account_id=ravi.id)}
    assert [f"{end.astimezone(current_settings().zone):%H:%M}" for end in ends if end] == [quiet["to"]]


def test_request_messages_turned_off_send_no_digest(limited: Flask, users: Users) -> None:
    ravi = users.customer()
    with transaction():
        preferences.put(ravi.id, Choice(kinds={"request_new": []}))
    notify(ravi, times=LIMIT + 2)
    assert deliveries() == []


def test_request_messages_limit_holds_for_concurrent_requests(limited: Flask, users: Users) -> None:
    ravi = users.customer()

    def one(_: int) -> None:
        with limited.app_context():
            notify(ravi)

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(one, range(16)))
    assert len(deliveries(kind="request_new")) == LIMIT
    assert len(deliveries(kind="requests_waiting")) == 1


def test_request_message_quotes_user_input_without_links(limited: Flask, users: Users, smtp: SmtpServer) -> None:
    notify(users.customer(firstname="https://evil.example/win"))
    work()
    for part in smtp.mails[0][1].walk():
        if not part.is_multipart():
            said = part.get_payload(decode=True).decode()  # type: ignore[union-attr]  # bytes, of leaves
            assert "https[:]//evil[.]example/doorstep" in said
            assert "evil.example" not in said

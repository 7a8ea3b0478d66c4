"""The notification about messages that stay unread: one for each conversation until it is read."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from tests.factories.jobs import deliveries, work
from tests.factories.requests import RequestMarket, at, do
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

KIND = "request_messages"


@pytest.fixture
def mailing(another: Another, smtp: SmtpServer) -> Flask:
    return another(mail_server="127.0.0.1", mail_port=smtp.port)


def say(who: User, request_id: int, body: str) -> int:
    return int(do(who, f"/requests/{request_id}/messages", {"body": body})["id"])


def read(who: User, request_id: int, up_to: int) -> None:
    assert who.post(f"/requests/{request_id}/messages/read", {"up_to": up_to}).status_code == 200


def due_now() -> None:
    with transaction():
        due = text("UPDATE deliveries SET not_before = now() - interval '1 second' WHERE state = 'waiting'")
        db.session.execute(due)
    work(now=True)


def texts_sent(smtp: SmtpServer) -> list[str]:
    """Return the plain text of each mail about messages."""
    mails = [mail for _, mail in smtp.mails if "unread" in str(mail["Subject"])]
    parts = [part for mail in mails for part in mail.walk() if part.get_content_type() == "text/plain"]
    return [part.get_payload(decode=True).decode() for part in parts]  # type: ignore[union-attr]  # bytes, of leaves


def test_unread_messages_are_announced_once_until_they_are_read(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    market, asha = RequestMarket(users), users.customer(firstname="Asha")
    ravi = market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    work(now=True)
    before = len(smtp.mails)
    say(asha, request_id, "The gate is green")
    last = say(asha, request_id, "Ring twice")
    (waiting,) = deliveries(kind=KIND)
    assert (waiting.account_id, waiting.state) == (ravi.id, "waiting")
    assert waiting.not_before is not None
    assert timedelta(minutes=14) < waiting.not_before - now() <= timedelta(minutes=15)
    due_now()
    assert len(smtp.mails) == before + 1
    assert str(smtp.mails[-1][1]["Subject"]) == "2 unread messages about Plumbing"
    (said,) = texts_sent(smtp)
    assert "Asha wrote to you." in said
    assert "gate" not in said, "the text stays in the conversation"
    assert f"/app/requests/{request_id}/messages?professional_id={ravi.id}" in re.sub(r"=\n", "", said)
    say(asha, request_id, "Hello?")
    due_now()
    assert len(texts_sent(smtp)) == 1, "no second one until the messages are read"
    read(ravi, request_id, last + 1)
    say(asha, request_id, "Thanks")
    due_now()
    assert len(texts_sent(smtp)) == 2


def test_messages_read_in_time_are_not_announced(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    market, asha = RequestMarket(users), users.customer()
    ravi = market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    message_id = say(ravi, request_id, "On my way")
    read(asha, request_id, message_id)
    due_now()
    assert texts_sent(smtp) == []
    assert [one.state for one in deliveries(kind=KIND)] == ["skipped"]


def test_messages_read_in_part_are_announced_for_the_rest(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    market, asha = RequestMarket(users), users.customer()
    ravi = market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    first = say(ravi, request_id, "On my way")
    say(ravi, request_id, "Running late")
    read(asha, request_id, first)
    due_now()
    assert len(texts_sent(smtp)) == 1
    assert sorted(one.state for one in deliveries(kind=KIND)) == ["sent", "skipped"]


def test_each_conversation_is_announced_separately(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    market, asha = RequestMarket(users), users.customer()
    ravi = market.professional()
    for day in (1, 2):
        say(ravi, market.bring_to("accepted", asha, ravi, date_of_request=at(days=day))["id"], "Hello")
    due_now()
    assert len(texts_sent(smtp)) == 2


def test_messages_are_not_announced_where_setting_or_preference_says_so(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = users.app.extensions["settings"]
    monkeypatch.setitem(users.app.extensions, "settings", replace(settings, message_digest_minutes=0))
    market, asha = RequestMarket(users), users.customer()
    ravi = market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    say(ravi, request_id, "Hello")
    assert deliveries(kind=KIND) == []
    monkeypatch.setitem(users.app.extensions, "settings", settings)
    assert ravi.put("/me/preferences", {"channels": ["mail"], "kinds": {KIND: []}}).status_code == 200
    say(asha, request_id, "Hello")
    assert deliveries(kind=KIND) == []
    read(asha, request_id, 1)
    say(ravi, request_id, "Hello again")
    assert [one.account_id for one in deliveries(kind=KIND)] == [asha.id]

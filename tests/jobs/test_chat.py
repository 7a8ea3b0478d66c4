"""Chat messages by an Apprise URL, against a real HTTP server."""

from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.domain.notifications import create
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer, WebServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

PHONE = "+919876543210"


@pytest.fixture
def chatting(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return an application with a chat app that knows people by an id of their own."""
    url = f"json://127.0.0.1:{web.port}/chat/{{chat_id}}"
    return another(mail_server="127.0.0.1", mail_port=smtp.port, chat_url=url)


@pytest.fixture
def by_phone(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return an application with a chat app that knows people by their phone numbers."""
    url = f"json://127.0.0.1:{web.port}/chat/{{phone}}"
    return another(mail_server="127.0.0.1", mail_port=smtp.port, chat_url=url)


def notify(user: User) -> None:
    with transaction():
        create.notify(user.id, "request_accepted", request_id=7, params={"task": "Plumbing", "professional": "Ravi"})


def choose(user: User, chat_id: str | None, *channels: str) -> None:
    answer = user.put("/me/preferences", {"channels": list(channels), "chat_id": chat_id})
    assert answer.status_code == 200, answer.json
    assert answer.json["chat_id"] == chat_id


def channels_used() -> list[tuple[str, str]]:
    return [(one.channel, one.state) for one in deliveries()]


@pytest.mark.parametrize("chat_id", ["123456789", "-1001234", "@asha", "visits.asha"])
def test_chat_to_own_id_has_title_text_and_link(chatting: Flask, web: WebServer, chat_id: str) -> None:
    asha = Users(chatting).customer()
    choose(asha, chat_id, "chat")
    notify(asha)
    work()
    (post,) = web.posts
    assert unquote(post.path) == f"/chat/{chat_id}"
    assert post.body["title"] == "Accepted: Plumbing"
    assert post.body["message"].endswith("/app/requests/7")
    assert channels_used() == [("chat", "sent")]


@pytest.mark.parametrize("chat_id", ["a/b", "a?b=c", "a b", "{phone}", "x" * 65, ""])
def test_chat_id_that_could_change_the_address_is_refused(chatting: Flask, chat_id: str) -> None:
    answer = Users(chatting).customer().put("/me/preferences", {"channels": ["chat"], "chat_id": chat_id})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["chat_id"])


def test_chat_to_verified_number_only(by_phone: Flask, web: WebServer, smtp: SmtpServer) -> None:
    asha = Users(by_phone).customer(phone=PHONE)
    choose(asha, None, "chat")
    assert asha.get("/me/preferences").json["unavailable"]["chat"]["code"] == "phone_not_verified"
    notify(asha)
    work()
    assert (channels_used(), web.posts) == ([("chat", "skipped"), ("mail", "sent")], [])
    with transaction():
        db.session.execute(text("UPDATE accounts SET phone_verified_at = now() WHERE id = :id"), {"id": asha.id})
    notify(asha)
    work()
    assert [post.path for post in web.posts] == [f"/chat/{PHONE}"]


@pytest.mark.parametrize(
    ("url", "phone", "code"),
    [
        ("", None, "chat_not_set_up"),
        ("json://127.0.0.1:9/{chat_id}", None, "no_chat_id"),
        ("json://127.0.0.1:9/{phone}", None, "no_phone"),
        ("json://127.0.0.1:9/{phone}", "+14155552671", "chat_not_available"),
    ],
)
def test_preferences_name_why_chat_is_unavailable(another: Another, url: str, phone: str | None, code: str) -> None:
    app = another(chat_url=url)
    asha = Users(app).customer(phone=phone)
    assert asha.get("/me/preferences").json["unavailable"]["chat"]["code"] == code


def test_chat_that_gateway_refuses_waits_then_uses_mail(chatting: Flask, web: WebServer, smtp: SmtpServer) -> None:
    asha = Users(chatting).customer()
    choose(asha, "123", "chat", "mail")
    web.answer = lambda _: (500, {}, b"{}")
    notify(asha)
    work(now=True)
    assert channels_used() == [("chat", "failed"), ("mail", "sent")]
    assert len(smtp.mails) == 1

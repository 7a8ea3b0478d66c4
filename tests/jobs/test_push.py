"""Web push against a real HTTP server that decrypts messages and verifies signatures."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import text

from backend.core import web_push
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.domain.notifications import create, preferences
from backend.domain.notifications.channels import push
from backend.domain.notifications.channels.message import Contact, OutboundMessage
from backend.domain.notifications.messages import message, render, words
from backend.domain.notifications.preferences import Choice
from tests.factories.jobs import deliveries, work
from tests.factories.push import Browser, verified_claims
from tests.factories.servers import SmtpServer, WebServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

ANOTHER_SECRET = "another secret key of 32 bytes or more"


@pytest.fixture
def pushing(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return an application whose only push service is the test's."""
    return another(
        mail_server="127.0.0.1",
        mail_port=smtp.port,
        push_allowed_hosts=(f"127.0.0.1:{web.port}",),
    )


@pytest.fixture
def asha(pushing: Flask) -> User:
    """A customer who chose push alone."""
    user = Users(pushing).customer(firstname="Asha")
    choose(user, "push")
    return user


def choose(user: User, *channels: str) -> None:
    with transaction():
        preferences.put(user.id, Choice(channels=channels))


def subscribe(user: User, web: WebServer, path: str = "/push/one") -> Browser:
    browser = Browser()
    answer = user.post("/me/push_subscriptions", json={"endpoint": web.url(path), "keys": browser.keys})
    assert answer.status_code == 201, answer.json
    return browser


def notify(user: User, kind: str = "request_accepted", **params: Any) -> None:
    with transaction():
        create.notify(user.id, kind, request_id=7, params={"task": "Plumbing", "professional": "Ravi", **params})


def test_push_to_device_is_encrypted_signed_and_links_to_the_page(asha: User, web: WebServer) -> None:
    browser = subscribe(asha, web)
    notify(asha, date="2026-12-01T10:00:00+05:30")
    work()
    (post,) = web.posts
    message = browser.read(post)
    assert post.path == "/push/one"
    assert message["title"] == "Accepted: Plumbing"
    assert message["body"].startswith("Ravi accepted your request for ")
    assert message["url"] == "/app/requests/7"
    key = asha.get("/me/push_key").json["key"]
    claims = verified_claims(post, key=key, audience=f"http://127.0.0.1:{web.port}")
    assert claims["sub"].startswith(("mailto:", "https://"))
    assert post.headers["TTL"] == "86400"
    assert post.headers["Urgency"] == "high"
    assert len(post.headers["Topic"]) == 32
    assert [(one.channel, one.state) for one in deliveries()] == [("push", "sent")]


def test_push_reminder_offers_what_can_be_done_at_once(asha: User, web: WebServer) -> None:
    browser = subscribe(asha, web)
    with transaction():
        create.notify(asha.id, "request_accepted", request_id=7, params={"task": "Plumbing"})
    work()
    (plain,) = web.posts
    assert browser.read(plain)["actions"] == []
    outbound = _reminder(asha)
    assert orjson.loads(push.payload(outbound))["actions"] == [
        {"action": "on_time", "title": "समय पर", "url": "/app/requests/7?action=on_time"},
        {"action": "running_late", "title": "देर होगी", "url": "/app/requests/7?action=running_late"},
        {"action": "release", "title": "छोड़ें", "url": "/app/requests/7?action=release"},
    ]


def _reminder(user: User) -> OutboundMessage:
    kind, params = "request_due_soon", {"task": "Plumbing", "customer": "Asha", "date": "2026-12-01T10:00:00+05:30"}
    contact = Contact(user.id, "Ravi", "ravi@example.org", True, None, False, None, "hi")
    words = render(kind, params, request_id=7, language="hi")
    return OutboundMessage(1, kind, "<1@doorstep.test>", contact, message(kind), words, params, request_id=7)


def test_push_about_a_visit_is_kept_only_as_long_as_it_is_of_use(asha: User, web: WebServer) -> None:
    subscribe(asha, web)
    notify(asha, "request_on_the_way")
    work()
    soon = now() + timedelta(minutes=30)
    notify(asha, "request_reviewed", valid_until=soon)
    work()
    on_the_way, limited = (int(post.headers["TTL"]) for post in web.posts)
    assert on_the_way == 2 * 3600
    assert 1700 < limited <= 1800
    assert [post.headers["Urgency"] for post in web.posts] == ["high", "normal"]


def test_push_is_in_language_of_account(asha: User, web: WebServer) -> None:
    browser = subscribe(asha, web)
    assert asha.patch("/me", json={"language": "hi"}).status_code == 200
    notify(asha)
    work()
    message = browser.read(web.posts[0])
    title = words("request_accepted", "hi").title
    assert (message["language"], message["title"]) == ("hi", title.format(task="Plumbing"))


def test_push_holds_no_contact_data(asha: User, web: WebServer) -> None:
    browser = subscribe(asha, web)
    notify(asha, phone="+919876543210", date="2026-12-01T10:00:00+05:30")
    notify(asha, "request_closed", remarks="Call me on +919876543210")
    work()
    read = [str(browser.read(post)) for post in web.posts]
    assert len(read) == 2
    assert not any("9876543210" in one or f"{asha.username}@" in one for one in read)


def test_push_goes_to_all_devices_in_one_delivery(asha: User, web: WebServer) -> None:
    first, second = subscribe(asha, web, "/push/one"), subscribe(asha, web, "/push/two")
    notify(asha)
    work()
    by_path = {post.path: post for post in web.posts}
    assert first.read(by_path["/push/one"]) == second.read(by_path["/push/two"])
    assert [one.state for one in deliveries()] == ["sent"]


@pytest.mark.parametrize("status", [404, 410])
def test_push_to_device_that_is_gone_forgets_it_and_sends_mail(
    asha: User, web: WebServer, smtp: SmtpServer, status: int
) -> None:
    subscribe(asha, web)
    web.answer = lambda _: (status, {}, b"")
    notify(asha)
    work()
    assert asha.get("/me/push_subscriptions").json["items"] == []
    assert [(one.channel, one.state) for one in deliveries()] == [("push", "skipped"), ("mail", "sent")]
    assert len(smtp.mails) == 1


def test_push_to_one_of_two_devices_that_is_gone_is_sent_to_the_other(asha: User, web: WebServer) -> None:
    subscribe(asha, web, "/push/one")
    subscribe(asha, web, "/push/two")
    web.answer = lambda number: (410, {}, b"") if number == 1 else (201, {}, b"")
    notify(asha)
    work()
    assert len(asha.get("/me/push_subscriptions").json["items"]) == 1
    assert [one.state for one in deliveries()] == ["sent"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_push_to_service_that_is_unavailable_waits_and_repeats_under_one_topic(
    asha: User, web: WebServer, status: int
) -> None:
    subscribe(asha, web)
    web.answer = lambda number: (status, {"Retry-After": "1"}, b"") if number == 1 else (201, {}, b"")
    notify(asha)
    work(now=True)
    assert len({post.headers["Topic"] for post in web.posts}) == 1
    assert (len(web.posts), [one.state for one in deliveries()]) == (2, ["sent"])


def test_push_refused_by_service_uses_next_channel(asha: User, web: WebServer, smtp: SmtpServer) -> None:
    choose(asha, "push", "mail")
    subscribe(asha, web)
    web.answer = lambda _: (403, {}, b"")
    notify(asha)
    work()
    assert [(one.channel, one.state) for one in deliveries()] == [("push", "failed"), ("mail", "sent")]
    assert len(asha.get("/me/push_subscriptions").json["items"]) == 1


def test_push_without_device_is_mailed(asha: User, web: WebServer, smtp: SmtpServer) -> None:
    notify(asha)
    work()
    assert (web.posts, len(smtp.mails)) == ([], 1)


def sign_out(user: User) -> None:
    assert user.post("/logout").status_code == 204


def expire(user: User) -> None:
    with transaction():
        db.session.execute(text("UPDATE sessions SET expires_at = now() WHERE account_id = :id"), {"id": user.id})


@pytest.mark.parametrize("end", [sign_out, expire])
def test_push_after_end_of_session_is_not_sent_to_its_device(
    asha: User, web: WebServer, smtp: SmtpServer, end: Callable[[User], None]
) -> None:
    subscribe(asha, web)
    end(asha)
    notify(asha)
    work()
    assert (web.posts, len(smtp.mails)) == ([], 1)


def test_push_to_device_subscribed_with_former_key_is_signed_by_it(
    another: Another, asha: User, web: WebServer
) -> None:
    subscribe(asha, web)
    former, secret = web_push.server_keys()[0].public, current_settings().secret_key
    allowed = (f"127.0.0.1:{web.port}",)
    another(push_allowed_hosts=allowed, secret_key=ANOTHER_SECRET, secret_key_fallbacks=(secret,))
    assert web_push.server_keys()[0].public != former
    notify(asha)
    work()
    verified_claims(web.posts[0], key=former, audience=f"http://127.0.0.1:{web.port}")


def test_push_to_device_subscribed_with_lost_key_forgets_it(
    another: Another, asha: User, web: WebServer, smtp: SmtpServer
) -> None:
    subscribe(asha, web)
    another(
        mail_server="127.0.0.1",
        mail_port=smtp.port,
        push_allowed_hosts=(f"127.0.0.1:{web.port}",),
        secret_key=ANOTHER_SECRET,
    )
    notify(asha)
    work()
    left = db.session.execute(text("SELECT count(*) FROM push_subscriptions")).scalar_one()
    assert (web.posts, len(smtp.mails), left) == ([], 1, 0)


def test_push_to_host_no_longer_allowed_calls_nobody(another: Another, asha: User, web: WebServer) -> None:
    subscribe(asha, web)
    another(push_allowed_hosts=("fcm.googleapis.com",))
    notify(asha)
    work()
    assert web.posts == []

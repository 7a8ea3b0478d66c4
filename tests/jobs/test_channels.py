"""Google Chat and SMS against real HTTP servers; the next channel after a permanent failure."""

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.observability import metrics
from backend.domain.notifications import create, preferences
from backend.domain.notifications import delivery as notification_delivery
from backend.domain.notifications.preferences import Choice
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer, WebServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

PHONE = "+919876543210"


@pytest.fixture
def chatting(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return an application with a mail server, the marketplace's webhook and an SMS gateway."""
    return another(**servers(smtp, web))


@pytest.fixture
def impatient(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return the same application, which waits a second for these servers."""
    return another(**servers(smtp, web), outbound_timeout_seconds=1)


def servers(smtp: SmtpServer, web: WebServer) -> dict[str, object]:
    """Return the settings that name the servers."""
    return {
        "mail_server": "127.0.0.1",
        "mail_port": smtp.port,
        "gchat_webhook_url": web.url("/market"),
        "gchat_allowed_hosts": (f"127.0.0.1:{web.port}",),
        "sms_url": f"json://127.0.0.1:{web.port}/sms/{{phone}}",
    }


def verify(user: User) -> None:
    """Mark the account's phone as verified."""
    statement = text("UPDATE accounts SET phone_verified_at = now() WHERE id = :id")
    db.session.execute(statement, {"id": user.id})


def someone(users: Users, *channels: str, **choice: object) -> User:
    """Return a customer who chose these channels."""
    asha = users.customer(phone=PHONE, firstname="Asha")
    with transaction():
        verify(asha)
        preferences.put(asha.id, Choice(channels=channels, **choice))  # type: ignore[arg-type]  # fields of a choice
    return asha


def notify(user: User) -> None:
    with transaction():
        create.notify(user.id, "request_accepted", request_id=7, params={"task": "Plumbing", "professional": "Ravi"})


def test_gchat_to_marketplace_webhook_names_the_recipient(chatting: Flask, users: Users, web: WebServer) -> None:
    notify(someone(users, "gchat"))
    work()
    (post,) = web.posts
    assert post.path == "/market"
    assert post.body["text"].startswith("For Asha:\n*Accepted: Plumbing*")
    assert "/app/requests/7" in post.body["text"]
    assert deliveries()[0].state == "sent"


def test_gchat_to_own_webhook_is_preferred(chatting: Flask, users: Users, web: WebServer) -> None:
    notify(someone(users, "gchat", gchat_webhook=web.url("/mine?key=a&token=b")))
    work()
    assert [post.path for post in web.posts] == ["/mine?key=a&token=b"]
    assert not web.posts[0].body["text"].startswith("For")


def test_sms_is_sent_to_number_of_account(chatting: Flask, users: Users, web: WebServer) -> None:
    notify(someone(users, "sms"))
    work()
    (post,) = web.posts
    assert post.path == f"/sms/{PHONE}"
    assert "Accepted: Plumbing" in post.body["message"]


def test_delivery_uses_only_first_working_channel(
    chatting: Flask, users: Users, web: WebServer, smtp: SmtpServer
) -> None:
    notify(someone(users, "gchat", "mail"))
    work()
    assert (len(web.posts), len(smtp.mails)) == (1, 0)


@pytest.mark.parametrize("status", [400, 403, 404, 302])
def test_delivery_after_rejection_by_webhook_uses_next_channel(
    chatting: Flask, users: Users, web: WebServer, smtp: SmtpServer, status: int
) -> None:
    web.answer = lambda _: (status, {"Location": "http://127.0.0.1:1/"}, b"")
    notify(someone(users, "gchat", "mail"))
    work()
    assert [(one.channel, one.state) for one in deliveries()] == [("gchat", "failed"), ("mail", "sent")]
    assert (len(web.posts), len(smtp.mails)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [(500, {}, b"{}"), (503, {}, b"{}"), (429, {}, b"{}"), (200, {"Content-Type": "text/html"}, b"<html>")],
)
def test_delivery_after_repeated_webhook_errors_uses_next_channel(
    chatting: Flask, users: Users, web: WebServer, smtp: SmtpServer, answer: tuple[int, dict[str, str], bytes]
) -> None:
    web.answer = lambda _: answer
    notify(someone(users, "gchat", "mail"))
    work(now=True)
    first, second = deliveries()
    assert (first.state, second.state) == ("failed", "sent")
    assert [one.outcome for one in notification_delivery.attempts_of(first.id)] == ["put_off", "put_off", "refused"]
    assert len(smtp.mails) == 1


def test_delivery_after_webhook_recovers_is_sent_once(chatting: Flask, users: Users, web: WebServer) -> None:
    web.answer = lambda number: (500, {}, b"") if number == 1 else (200, {}, b"{}")
    notify(someone(users, "gchat", "mail"))
    work(now=True)
    assert (len(web.posts), [one.state for one in deliveries()]) == (2, ["sent"])


def test_delivery_to_hanging_webhook_times_out_and_waits(impatient: Flask, users: Users, web: WebServer) -> None:
    web.hang = 1.5
    notify(someone(users, "gchat"))
    work()
    (delivery,) = deliveries()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)


def test_delivery_to_hanging_webhook_does_not_block_others(
    impatient: Flask, users: Users, web: WebServer, smtp: SmtpServer
) -> None:
    web.hang = 1.5
    crowd = [someone(users, "gchat") for _ in range(8)]
    for user in [*crowd, users.customer()]:
        notify(user)
    work()
    assert (len(web.posts), len(smtp.mails)) == (1, 1)
    assert sorted(one.attempts for one in deliveries(channel="gchat")) == [0, 0, 0, 0, 0, 0, 0, 1]


def test_delivery_to_hanging_webhook_falls_back_only_with_another_channel(
    impatient: Flask, users: Users, web: WebServer, smtp: SmtpServer
) -> None:
    web.hang = 1.5
    for user in (someone(users, "gchat"), someone(users, "gchat", "mail")):
        notify(user)
    work()
    with transaction():
        db.session.execute(text("UPDATE deliveries SET created_at = now() - interval '3 minutes'"))
        db.session.execute(text("UPDATE jobs SET run_at = now() WHERE done_at IS NULL"))
    work()
    assert [(one.channel, one.state) for one in deliveries()] == [
        ("gchat", "waiting"),
        ("gchat", "failed"),
        ("mail", "sent"),
    ]


def test_delivery_after_retry_after_header_waits_that_long(chatting: Flask, users: Users, web: WebServer) -> None:
    web.answer = lambda _: (429, {"Retry-After": "120"}, b"")
    notify(someone(users, "gchat"))
    work()
    pause = db.session.execute(text("SELECT extract(epoch FROM max(run_at) - now()) FROM jobs")).scalar_one()
    assert 115 < pause < 140


def test_delivery_without_number_or_webhook_uses_next_channel(another: Another, users: Users, smtp: SmtpServer) -> None:
    another(mail_server="127.0.0.1", mail_port=smtp.port)
    notify(someone(users, "gchat", "sms", "mail"))
    work()
    assert [(one.channel, one.state) for one in deliveries()] == [
        ("gchat", "skipped"),
        ("sms", "skipped"),
        ("mail", "sent"),
    ]


def test_delivery_to_host_no_longer_allowed_uses_next_channel(
    another: Another, users: Users, web: WebServer, smtp: SmtpServer
) -> None:
    another(mail_server="127.0.0.1", mail_port=smtp.port, gchat_allowed_hosts=("chat.googleapis.com",))
    notify(someone(users, "gchat", "mail", gchat_webhook=web.url()))
    work()
    assert (web.posts, len(smtp.mails)) == ([], 1)


def test_delivery_without_usable_channel_fails_with_reason(another: Another, users: Users) -> None:
    another()
    notify(someone(users, "gchat"))
    work()
    (delivery,) = deliveries()
    assert (delivery.state, delivery.error) == ("failed", "No Google Chat webhook is configured.")


def test_delivery_attempts_are_counted_by_channel_and_outcome(chatting: Flask, users: Users, web: WebServer) -> None:
    def counted(channel: str, outcome: str) -> float:
        sample = f'delivery_attempts_total{{channel="{channel}",outcome="{outcome}"}} '
        lines = [line for line in metrics.exposition().decode().splitlines() if line.startswith(sample)]
        return float(lines[0].removeprefix(sample)) if lines else 0.0

    before = {outcome: counted("gchat", outcome) for outcome in ("sent", "failed", "put_off")}
    notify(someone(users, "gchat"))
    work()
    assert counted("gchat", "sent") == before["sent"] + 1
    web.answer = lambda _: (404, {}, b"{}")
    notify(someone(users, "gchat"))
    work()
    assert counted("gchat", "failed") == before["failed"] + 1
    assert counted("gchat", "put_off") == before["put_off"]

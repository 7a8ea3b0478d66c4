"""Emails, SMS and notifications are in the language of their recipient."""

from email.header import decode_header, make_header
from email.message import Message

import orjson
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.domain.notifications import create
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

HINDI = {"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.8"}


def subject(mail: Message) -> str:
    return str(make_header(decode_header(mail["Subject"])))


def plain_part(mail: Message) -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def notify(user: User, kind: str, **params: object) -> None:
    with transaction():
        create.notify(user.id, kind, request_id=7, params=params)


def test_sign_up_in_hindi_browser_gets_hindi_confirmation_email(
    another: Another, users: Users, smtp: SmtpServer
) -> None:
    app = another(mail_server="127.0.0.1", mail_port=smtp.port, email_confirmation=True)
    fields = users.fields("asha")
    response = app.test_client().post("/add_customer", json=fields, headers=HINDI)
    assert response.status_code == 201, response.text
    assert orjson.loads(response.data)["language"] == "hi"
    work()
    (mail,) = smtp.to(fields["email"])
    assert subject(mail) == "अपने ईमेल की पुष्टि करें"
    assert f"नमस्ते {fields['firstname']}," in plain_part(mail)
    assert "में आपका स्वागत है" in plain_part(mail)


def test_sign_up_with_language_field_overrides_browser(app: Flask, users: Users) -> None:
    response = users.visitor().post("/add_customer", {**users.fields(), "language": "en"}, headers=HINDI)
    assert (response.status_code, response.json["language"]) == (201, "en")
    unknown = users.visitor().post("/add_customer", {**users.fields(), "language": "xx"})
    assert (unknown.status_code, list(unknown.json["errors"])) == (422, ["language"])


def test_language_changed_in_profile_applies_to_next_email(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    assert asha.get("/me").json["language"] is None
    notify(asha, "request_expired", task="Plumbing")
    changed = asha.patch("/me", {"language": "hi"})
    assert (changed.status_code, changed.json["language"]) == (200, "hi")
    work()
    (mail,) = smtp.to(f"{asha.username}@example.org")
    assert subject(mail) == "एक्सपायर हुई: Plumbing", "in the language at the time of sending"


def test_notifications_are_listed_in_language_of_reader(app: Flask, users: Users) -> None:
    asha = users.customer(language="hi")
    notify(asha, "request_cancelled", task="Plumbing", reason="Too late", date="2026-12-01T04:30:00+00:00")
    by_account = asha.get("/notifications")
    by_header = asha.get("/notifications", headers={"Accept-Language": "en-GB"})
    unknown = asha.get("/notifications", headers={"Accept-Language": "fr, *;q=0.1"})
    assert by_account.json["items"][0]["title"] == "रद्द हुई: Plumbing"
    assert "मंगल, 1 दिसंबर 2026, 10:00 am की रिक्वेस्ट" in by_account.json["items"][0]["body"]
    assert "कारण: Too late।" in by_account.json["items"][0]["body"]
    assert by_account.headers["Content-Language"] == "hi"
    assert by_header.json["items"][0]["title"] == "Cancelled: Plumbing"
    assert by_header.headers["Content-Language"] == "en"
    assert "Accept-Language" in by_header.headers["Vary"]
    assert unknown.json == by_account.json


def test_notification_stored_as_text_keeps_its_text(app: Flask, users: Users) -> None:
    asha = users.customer(language="hi")
    with transaction():
        db.session.execute(
            text("INSERT INTO notifications (account_id, kind, title, body) VALUES (:id, 'unblocked', 'Old', 'Text')"),
            {"id": asha.id},
        )
    (shown,) = asha.get("/notifications").json["items"]
    assert (shown["title"], shown["body"]) == ("Old", "Text")


def test_unsubscribe_page_is_in_language_of_account(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.professional(language="hi")
    with transaction():
        create.post([create.Outgoing(asha.id, "reminder", "2026-12-01", {})])
    work()
    (delivery,) = deliveries(kind="reminder")
    assert delivery.state == "sent"
    (mail,) = [mail for mail in smtp.to(f"{asha.username}@example.org") if mail["List-Unsubscribe"]]
    path = mail["List-Unsubscribe"].strip("<>").partition("/unsubscribe/")[2]
    page = users.visitor().get(f"/unsubscribe/{path}")
    assert '<html lang="hi">' in page.text
    assert "रिमाइंडर से अनसब्सक्राइब करें?" in page.text

"""Outgoing mail: contents, retries and failures of the mail server."""

import os
import time
from email.header import decode_header, make_header

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core import mail as core_mail
from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions as accounts
from backend.domain.notifications import create
from backend.domain.notifications import delivery as notification_delivery
from backend.jobs import housekeeping
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer
from tests.factories.users import Users
from tests.jobs.conftest import Another


def notify(account_id: int, kind: str = "approved", **params: object) -> None:
    with transaction():
        create.notify(account_id, kind, request_id=7, params=params)


def test_mail_has_html_and_plain_parts_and_stored_message_id(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer(firstname="Asha")
    notify(asha.id, "request_accepted", task="Plumbing", professional="Ravi")
    work()
    (mail,) = smtp.to(f"{asha.username}@example.org")
    (delivery,) = deliveries()
    assert mail["Message-ID"] == delivery.message_id
    assert mail["Subject"] == "Accepted: Plumbing"
    assert (delivery.state, delivery.attempts) == ("sent", 1)
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()}
    assert b"Hello Asha" in parts["text/plain"]
    assert b"/app/requests/7" in parts["text/html"]
    assert b"style=" in parts["text/html"]
    assert b"prefers-color-scheme: dark" in parts["text/html"]
    assert mail["List-Unsubscribe"] is None


def test_mail_escapes_user_input_in_html(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    notify(asha.id, "rejected", reason="<script>alert(1)</script>")
    work()
    html = next(p for p in smtp.mails[0][1].walk() if p.get_content_type() == "text/html").get_payload(decode=True)
    assert b"<script>" not in html
    assert b"&lt;script&gt;" in html


def test_mail_with_line_break_in_subject_adds_no_header(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    notify(asha.id, "request_accepted", task="Plumbing\r\nBcc: eve@example.org", professional="Ravi")
    work()
    (mail,) = smtp.to(f"{asha.username}@example.org")
    assert mail["Bcc"] is None


def test_mails_of_one_batch_share_a_connection(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    for _ in range(3):
        notify(users.customer().id)
    work()
    assert (len(smtp.mails), smtp.connections) == (3, 1)


def test_mail_on_connection_that_server_closed_is_sent_on_new_one_in_same_attempt(
    mailing: Flask, users: Users, smtp: SmtpServer
) -> None:
    asha = users.customer()
    notify(asha.id)
    work()
    smtp.close_connections()
    notify(asha.id)
    work()
    assert [(one.state, one.attempts) for one in deliveries()] == [("sent", 1), ("sent", 1)]
    assert (len(smtp.mails), smtp.connections, smtp.noops) == (2, 2, 0)


def test_mail_headers_are_folded_or_encoded_only_where_needed(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    long, hindi = "Plumbing " * 200, "\u0928\u0932\u0938\u093e\u091c\u0940"
    for task in ("Plumbing", long, hindi):
        notify(users.customer().id, "request_accepted", task=task, professional="Ravi")
    work()
    subjects = [" ".join(str(make_header(decode_header(mail["Subject"]))).split()) for _, mail in smtp.mails]
    assert subjects == ["Accepted: Plumbing", f"Accepted: {long.strip()}", f"Accepted: {hindi}"]
    assert all(len(line) < 998 for _, mail in smtp.mails for line in mail.as_string().splitlines())
    boundaries = [part.get_boundary() for _, mail in smtp.mails for part in mail.walk() if part.is_multipart()]
    assert len(set(boundaries)) == len(boundaries) == 6


def test_mail_to_rejected_address_fails_permanently_without_blocking_others(
    mailing: Flask, users: Users, smtp: SmtpServer
) -> None:
    asha, ravi = users.customer(), users.customer()
    smtp.answers[f"{asha.username}@example.org"] = "550 no such mailbox"
    notify(asha.id)
    notify(ravi.id)
    work()
    first, second = deliveries()
    assert (first.state, second.state) == ("failed", "sent")
    assert "no such mailbox" in str(first.error)
    assert [one.outcome for one in notification_delivery.attempts_of(first.id)] == ["refused"]


@pytest.mark.parametrize("answer", ["421 too busy", "450 greylisted", "452 no room"])
def test_mail_with_temporary_error_is_retried(mailing: Flask, users: Users, smtp: SmtpServer, answer: str) -> None:
    asha = users.customer()
    address = f"{asha.username}@example.org"
    smtp.answers[address] = answer
    notify(asha.id)
    work()
    (delivery,) = deliveries()
    assert (delivery.state, delivery.attempts, smtp.mails) == ("waiting", 1, [])
    smtp.answers.clear()
    work(now=True)
    (delivery,) = deliveries()
    assert (delivery.state, len(smtp.to(address))) == ("sent", 1)
    assert [one.outcome for one in notification_delivery.attempts_of(delivery.id)] == ["put_off", "sent"]


def test_mail_while_server_is_down_is_retried(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    port = smtp.port
    smtp.stop()
    notify(users.customer().id)
    work()
    assert deliveries()[0].state == "waiting"
    smtp.start(port)
    work(now=True)
    assert len(smtp.mails) == 1


def test_mail_to_slow_server_times_out_and_waits(another: Another, users: Users) -> None:
    slow = SmtpServer(delay=3)
    slow.start()
    another(mail_server="127.0.0.1", mail_port=slow.port, mail_timeout_seconds=1)
    notify(users.customer().id)
    work()
    assert deliveries()[0].state == "waiting"
    slow.stop()


def test_mail_after_dropped_connection_is_resent_with_same_message_id(
    mailing: Flask, users: Users, smtp: SmtpServer
) -> None:
    smtp.drop_after_data = True
    notify(users.customer().id)
    work()
    smtp.drop_after_data = False
    work(now=True)
    first, second = (mail for _, mail in smtp.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert deliveries()[0].state == "sent"


def test_delivery_attempt_of_killed_worker_is_recorded_as_interrupted(
    mailing: Flask, users: Users, smtp: SmtpServer
) -> None:
    notify(users.customer().id)
    (job_id,) = db.session.execute(text("SELECT id FROM jobs WHERE topic = 'notification.deliver'")).scalars()
    with transaction():
        (lease,) = queue.claim_many([job_id], lease_seconds=60)
    assert not lease.interrupted
    with transaction():
        queue.fail(lease, "the database went away", after_seconds=0)
    with transaction():
        db.session.execute(text("UPDATE jobs SET run_at = now()"))
    with transaction():
        (lease,) = queue.claim_many([job_id], lease_seconds=60)
    assert (lease.attempts, lease.interrupted) == (2, False)
    with transaction():
        db.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    work()
    (delivery,) = deliveries()
    assert [one.outcome for one in notification_delivery.attempts_of(delivery.id)] == ["interrupted", "sent"]


def test_delivery_attempt_interrupted_stays_recorded_after_next_delay(
    mailing: Flask, users: Users, smtp: SmtpServer
) -> None:
    asha = users.customer()
    smtp.answers[f"{asha.username}@example.org"] = "451 try later"
    notify(asha.id)
    with transaction():
        db.session.execute(
            text("UPDATE jobs SET attempts = 1, lease_until = now() - interval '1 second' WHERE topic = :topic"),
            {"topic": "notification.deliver"},
        )
    work()
    (delivery,) = deliveries()
    assert [(one.number, one.outcome) for one in notification_delivery.attempts_of(delivery.id)] == [
        (1, "interrupted"),
        (2, "put_off"),
    ]


def test_mail_without_server_is_kept_as_file(another: Another, users: Users, tmp_path: object) -> None:
    app = another(data_dir=tmp_path)
    notify(users.customer().id)
    work()
    folder = app.extensions["settings"].data_dir / "mail"
    (kept,) = folder.iterdir()
    assert kept.suffix == ".eml"
    assert deliveries()[0].message_id.strip("<>").split("@")[0] == kept.stem


def test_delivery_params_with_secrets_are_erased_after_sending(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    with transaction():
        create.send_account_mail(asha.id, "password_reset", {"link": "https://doorstep.test/reset?token=s3cret"})
    work()
    assert deliveries()[0].params == {}
    parts = [part.get_payload(decode=True) for part in smtp.mails[0][1].walk() if not part.is_multipart()]
    assert [bytes(part).count(b"s3cret") for part in parts] == [
        1,
        3,
    ]  # as the button's link, and to be read and copied


def test_mail_to_unconfirmed_email_is_only_the_confirmation(another: Another, users: Users, smtp: SmtpServer) -> None:
    another(mail_server="127.0.0.1", mail_port=smtp.port, email_confirmation=True)
    notify(users.customer().id)
    work()
    assert [mail["Subject"] for _, mail in smtp.mails] == ["Confirm your email"]


def test_reminder_mail_unsubscribes_by_one_click(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    with transaction():
        create.post([create.Outgoing(asha.id, "reminder", "2026-12-01", {"waiting_title": "2 wait"})])
    work()
    mail = smtp.mails[0][1]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = mail["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:5000")
    client = mailing.test_client()
    assert client.get(path).status_code == 200
    assert asha.get("/me/preferences").json["kinds"] == {}
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert asha.get("/me/preferences").json["kinds"] == {"reminder": []}
    assert client.post(path[:-1] + "0").status_code in (200, 404)
    assert client.post("/unsubscribe/1.reminder.abc").status_code == 404


def test_email_change_notifies_previous_email(mailing: Flask, users: Users, smtp: SmtpServer) -> None:
    asha = users.customer()
    before = f"{asha.username}@example.org"
    assert asha.patch("/me", {"email": before.upper()}).status_code == 200
    assert asha.patch("/me", {"email": "thief@example.com"}).status_code == 200
    work()
    (mail,) = smtp.to(before.upper())
    assert mail["Subject"] == "Your email was changed"
    assert "thief@example.com" not in mail.as_string(), (
        "the previous email may be another person's, mistyped at sign-up"
    )
    assert smtp.to("thief@example.com") == []
    (delivery,) = deliveries()
    assert delivery.params == {}


def test_email_change_with_confirmation_on_notifies_only_confirmed_email(
    another: Another, users: Users, smtp: SmtpServer
) -> None:
    another(mail_server="127.0.0.1", mail_port=smtp.port, email_confirmation=True)
    asha, ravi = users.customer(), users.customer()
    with transaction():
        confirmed = text("UPDATE accounts SET email_confirmed_at = now() WHERE id = :id")
        db.session.execute(confirmed, {"id": asha.id})
        for who in (asha, ravi):
            accounts.edit(Actor(id=who.id, role=Role(who.role)), email=f"new-{who.username}@example.org")
    work()
    assert [mail["Subject"] for mail in smtp.to(f"{asha.username}@example.org")] == ["Your email was changed"]
    assert smtp.to(f"{ravi.username}@example.org") == []


def test_mail_files_are_dropped_after_a_week(app: Flask) -> None:
    folder = app.extensions["settings"].data_dir / "mail"
    folder.mkdir(exist_ok=True)
    kept, old = folder / "kept.eml", folder / "old.eml"
    for path, days in ((kept, 6.9), (old, 7.1)):
        path.write_text("a link that resets a password")
        at = time.time() - days * 86400
        os.utime(path, (at, at))
    assert core_mail.drop_old_files() == 1
    assert (kept.exists(), old.exists()) == (True, False)
    kept.unlink()
    assert "mail_files_dropped" in {part.name for part in housekeeping.PARTS}

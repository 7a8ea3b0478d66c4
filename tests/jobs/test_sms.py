"""SMS only to verified mobile numbers of the configured countries, within limits."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.db.session import db, transaction
from backend.domain.audit.models import AuditEntry
from backend.domain.notifications import create, preferences, sms_limits
from backend.domain.notifications.models import Delivery
from backend.domain.notifications.preferences import Choice
from backend.jobs import runner
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer, WebServer
from tests.factories.users import User, Users
from tests.jobs.conftest import Another

PHONE = "+919876543210"


@pytest.fixture
def texting(another: Another, smtp: SmtpServer, web: WebServer) -> Flask:
    """Return an application with a mail server and an SMS gateway; two SMS a day per account, five in all."""
    return another(
        mail_server="127.0.0.1",
        mail_port=smtp.port,
        sms_url=f"json://127.0.0.1:{web.port}/sms/{{phone}}",
        sms_per_person_a_day=2,
        sms_a_day=5,
    )


def someone(users: Users, *, phone: str = PHONE, verified: bool = True) -> User:
    """Return a customer who chose SMS only."""
    asha = users.customer(phone=phone)
    with transaction():
        preferences.put(asha.id, Choice(channels=("sms",)))
        if verified:
            db.session.execute(text("UPDATE accounts SET phone_verified_at = now() WHERE id = :id"), {"id": asha.id})
    return asha


def notify(user: User, times: int = 1) -> None:
    with transaction():
        for _ in range(times):
            create.notify(user.id, "request_expired", request_id=7, params={"task": "Plumbing"})


@pytest.mark.parametrize(
    "case",
    [
        (PHONE, False, "The phone number is not verified."),
        ("+449098790123", True, "SMS is only available for mobile numbers from IN."),
        ("+447400123456", True, "SMS is only available for mobile numbers from IN."),
        ("+911126534567", True, "SMS is only available for mobile numbers from IN."),
    ],
    ids=["unverified", "premium rate", "another country", "landline"],
)
def test_sms_to_ineligible_number_is_replaced_by_mail_with_reason(
    texting: Flask, users: Users, web: WebServer, smtp: SmtpServer, case: tuple[str, bool, str]
) -> None:
    phone, verified, why = case
    asha = someone(users, phone=phone, verified=verified)
    notify(asha)
    work()
    assert (web.posts, len(smtp.mails)) == ([], 1)
    assert [(one.channel, one.state, one.error) for one in deliveries()] == [
        ("sms", "skipped", why),
        ("mail", "sent", None),
    ]
    assert asha.get("/me").json["phone_verified"] == int(verified)


def test_sms_to_configured_country_is_sent(another: Another, users: Users, web: WebServer, smtp: SmtpServer) -> None:
    another(sms_url=f"json://127.0.0.1:{web.port}/sms/{{phone}}", sms_countries=("IN", "GB"))
    notify(someone(users, phone="+447400123456"))
    work()
    assert [post.path for post in web.posts] == ["/sms/+447400123456"]


def test_sms_over_daily_limit_of_account_is_replaced_by_mail(
    texting: Flask, users: Users, web: WebServer, smtp: SmtpServer
) -> None:
    notify(someone(users), times=4)
    work()
    assert (len(web.posts), len(smtp.mails)) == (2, 2)
    assert deliveries(state="skipped")[0].error == "The daily limit of 2 SMS for this account has been reached."
    entries = db.session.execute(select(AuditEntry).where(AuditEntry.action == sms_limits.REACHED)).scalars().all()
    assert [(one.subject_kind, one.after) for one in entries] == [("account", {"a_day": 2})]


def test_sms_limit_of_number_is_shared_by_accounts(texting: Flask, users: Users, web: WebServer) -> None:
    for _ in range(3):
        notify(someone(users))
    work()
    assert len(web.posts) == 2


@pytest.mark.parametrize("case", [(1, 20, 2), (20, 1, 5)], ids=["per account", "in total"])
def test_sms_limits_hold_for_concurrent_workers(
    texting: Flask, users: Users, web: WebServer, case: tuple[int, int, int]
) -> None:
    accounts, each, sent = case
    for number in range(accounts):
        notify(someone(users, phone=f"+9198765432{number:02}"), times=each)
    topic = text("SELECT id FROM jobs WHERE topic = 'notification.deliver' AND done_at IS NULL")
    ids = list(db.session.execute(topic).scalars())
    db.session.rollback()

    def run(job_id: int) -> str:
        with texting.app_context():
            return runner.run(job_id)

    with ThreadPoolExecutor(max(8, (os.cpu_count() or 1) * 2)) as workers:
        assert set(workers.map(run, ids)) == {"done"}
    work()
    assert len(web.posts) == sent
    assert db.session.execute(text("SELECT count(*) FROM sms_usage")).scalar_one() == sent
    noted = text("SELECT count(*) FROM audit_entries WHERE action = 'sms_limit_reached'")
    assert db.session.execute(noted).scalar_one() == 1


def test_sms_after_gateway_errors_is_retried_and_counted_once(texting: Flask, users: Users, web: WebServer) -> None:
    web.answer = lambda number: (500, {}, b"") if number < 3 else (200, {}, b"{}")
    notify(someone(users))
    work(now=True)
    assert [one.state for one in deliveries()] == ["sent"]
    assert db.session.execute(text("SELECT count(*) FROM sms_usage")).scalar_one() == 1


def test_sms_limits_count_one_day_only(texting: Flask, users: Users, web: WebServer) -> None:
    asha = someone(users)
    notify(asha, times=2)
    work()
    with transaction():
        db.session.execute(text("UPDATE sms_usage SET at = at - interval '1 day'"))
    notify(asha)
    work()
    assert len(web.posts) == 3
    with transaction():
        db.session.execute(text("UPDATE sms_usage SET at = at - interval '10 days'"))
        assert sms_limits.drop_old() == 3
    assert db.session.execute(select(Delivery.channel)).scalars().all() == ["sms"] * 3

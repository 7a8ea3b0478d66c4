"""Password rules, changing a password, and resetting it by a mailed link."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from backend.core.db.session import db
from backend.domain.accounts import sign_in
from backend.domain.accounts.models import MailedLink
from tests.factories.jobs import mails, token_of, work_on
from tests.factories.queries import count_queries
from tests.factories.users import PASSWORD, Users, Visitor

NEW = "another good one 77"


def forgot(visitor: Visitor, email: str) -> None:
    """Request a reset link and run the job that mails it if there is an account."""
    answer = visitor.post("/password/forgot", {"email": email})
    assert (answer.status_code, answer.data) == (202, b"")
    work_on(sign_in.RESET_TOPIC.name)


def token() -> str:
    return token_of(mails("password_reset")[-1])


@pytest.mark.parametrize(
    "password", ["password", "PassWord1", "12345678", "short 7", "x" * 1025, "", 12345678, None, "nul \0 inside"]
)
def test_sign_up_with_invalid_password_is_rejected(users: Users, password: Any) -> None:
    answer = users.visitor().post("/add_customer", users.fields(password=password))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])


@pytest.mark.parametrize("password", ["x7 y8 z9", "पासवर्ड बहुत लंबा", "🐘🦁🐯🐼🐧🦉🐢🐙", "p" * 1024, "  spaces count  "])
def test_sign_up_with_valid_password_can_sign_in(users: Users, password: str) -> None:
    fields = users.fields(password=password)
    assert users.visitor().post("/add_customer", fields).status_code == 201
    assert users.sign_in(fields["username"], password).role == "customer"


def test_sign_in_with_other_unicode_normalisation_of_password_succeeds(users: Users) -> None:
    fields = users.fields(password="caf\u00e9 on the corner")
    users.visitor().post("/add_customer", fields)
    assert users.sign_in(fields["username"], "cafe\u0301 on the corner").role == "customer"


def test_change_password_ends_other_sessions(users: Users) -> None:
    asha = users.customer()
    other = users.sign_in(asha.username)
    wrong = asha.post("/me/password", {"current_password": "not it", "password": NEW})
    assert (wrong.status_code, list(wrong.json["errors"])) == (422, ["current_password"])
    known = asha.post("/me/password", {"current_password": PASSWORD, "password": "password123"})
    assert (known.status_code, list(known.json["errors"])) == (422, ["password"])
    assert asha.post("/me/password", {"current_password": PASSWORD, "password": NEW}).status_code == 204
    assert asha.get("/me").status_code == 200
    assert other.get("/me").status_code == 401
    assert users.visitor().post("/check", {"username": asha.username, "password": PASSWORD}).status_code == 401
    assert users.sign_in(asha.username, NEW).id == asha.id
    assert len(mails("password_changed")) == 1


def test_change_password_with_repeated_wrong_password_is_throttled(users: Users) -> None:
    asha = users.customer()
    body = {"current_password": "not it", "password": NEW}
    codes = [asha.post("/me/password", body).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


def test_forgot_password_with_unknown_email_responds_the_same(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    for email in (f"{asha.username}@example.org", "nobody@example.org"):
        forgot(visitor, email)
    assert len(mails("password_reset")) == 1
    assert visitor.post("/password/forgot", {"email": "no address"}).status_code == 422


def test_reset_password_by_link_works_once_and_ends_sessions(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    for _ in range(2):
        forgot(visitor, f"{asha.username}@EXAMPLE.org")
    first, second = (token_of(one) for one in mails("password_reset"))
    weak = visitor.post("/password/reset", {"token": first, "password": "password123"})
    assert list(weak.json["errors"]) == ["password"], "a refused password does not use the link up"
    assert visitor.post("/password/reset", {"token": first, "password": NEW}).status_code == 204
    assert asha.get("/me").status_code == 401
    assert users.sign_in(asha.username, NEW).id == asha.id
    for used in (first, second, "made up"):
        again = visitor.post("/password/reset", {"token": used, "password": PASSWORD})
        assert (again.status_code, again.json["code"]) == (422, "link_invalid")


def test_reset_link_expires_and_is_stored_as_digest(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    forgot(visitor, f"{asha.username}@example.org")
    secret = token()
    kept = db.session.execute(select(MailedLink)).scalar_one()
    assert secret not in (kept.token_hash, kept.email_key)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        answer = visitor.post("/password/reset", {"token": secret, "password": NEW})
        assert answer.json["code"] == "link_invalid"


def test_reset_link_after_email_change_is_invalid(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    forgot(visitor, f"{asha.username}@example.org")
    secret = token()
    asha.patch("/me", {"email": "moved@example.org"})
    assert visitor.post("/password/reset", {"token": secret, "password": NEW}).status_code == 422


def test_forgot_password_repeated_sends_at_most_five_mails(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    for _ in range(8):
        forgot(visitor, f"{asha.username}@example.org")
    assert len(mails("password_reset")) == 5


def test_forgot_password_with_unknown_email_runs_same_queries(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    questions = []
    for email in (f"{asha.username}@example.org", "nobody@example.org"):
        with count_queries() as seen:
            visitor.post("/password/forgot", {"email": email})
        questions.append(seen.statements)
    assert questions[0] == questions[1]

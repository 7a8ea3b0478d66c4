"""The undo link sent to the previous email after a change, step-up authentication, and what invalidates reset links."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from backend.core.db.session import db
from backend.domain.accounts import sign_in
from backend.domain.accounts.models import Account, MailedLink
from backend.domain.audit.models import AuditEntry
from backend.domain.notifications.messages import render
from backend.domain.notifications.models import Notification
from tests.factories.jobs import mails, token_of, work_on
from tests.factories.users import PASSWORD, User, Users, Visitor

NEW = "another good one 77"
THIEF = "thief@example.net"


def undo_tokens() -> list[str]:
    return [token_of(one) for one in mails("email_changed")]


def change_email(user: User, email: str) -> None:
    assert user.patch("/me", {"email": email}).status_code == 200


def undo(visitor: Visitor, token: str) -> Any:
    return visitor.post("/email/undo", {"token": token})


def reset_links(visitor: Visitor, email: str) -> list[tuple[str | None, str]]:
    """Request a password reset; return the recipient of each link so far (None: the account's email) and its token."""
    assert visitor.post("/password/forgot", {"email": email}).status_code == 202
    work_on(sign_in.RESET_TOPIC.name)
    return [(one.get("send_to"), token_of(one)) for one in mails("password_reset")]


def email_of(user: User) -> str:
    db.session.rollback()
    return db.session.execute(select(Account.email).where(Account.id == user.id)).scalar_one()


def actions_of(user: User) -> list[str]:
    db.session.rollback()
    entries = select(AuditEntry.action).where(AuditEntry.subject_id == user.id).order_by(AuditEntry.id)
    return list(db.session.execute(entries).scalars())


def later(**after: float) -> Any:
    return time_machine.travel(datetime.now(UTC) + timedelta(**after))


def test_email_undo_from_previous_address_restores_email_and_ends_sessions(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, THIEF)
    (mail,) = mails("email_changed")
    assert mail["send_to"] == old
    assert "/app/email/undo#token=" in mail["link"]
    assert undo(visitor, "made up").json["code"] == "link_invalid"
    assert undo(visitor, token_of(mail)).status_code == 204
    assert asha.get("/me").status_code == 401
    assert users.sign_in(old).get("/me").json["email"] == old
    assert visitor.post("/check", {"username": THIEF, "password": PASSWORD}).status_code == 401
    assert undo(visitor, token_of(mail)).json["code"] == "link_invalid"
    assert len(mails("email_restored")) == 1


def test_email_undo_link_expires_after_seven_days(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    change_email(asha, THIEF)
    (token,) = undo_tokens()
    with later(days=7, seconds=1):
        assert undo(visitor, token).json["code"] == "link_invalid"
    with later(days=6, hours=23):
        assert undo(visitor, token).status_code == 204


def test_reset_link_within_undo_period_goes_to_previous_address(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, THIEF)
    assert [to for to, _ in reset_links(visitor, THIEF)] == [old]
    assert [to for to, _ in reset_links(visitor, old)] == [old, old]
    with later(days=8):
        assert [to for to, _ in reset_links(visitor, THIEF)] == [old, old, None]
        assert len(reset_links(visitor, old)) == 3, "the previous address is released"


def test_email_changes_repeated_by_intruder_keep_owners_links_valid(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, THIEF)
    (to, token), *_ = reset_links(visitor, old)
    change_email(asha, "second@example.net")
    change_email(asha, THIEF)
    assert [to, *(one["send_to"] for one in mails("email_left"))] == [old, THIEF, "second@example.net"]
    assert len(undo_tokens()) == 1, "a newly entered address gets no link"
    assert visitor.post("/password/reset", {"token": token, "password": NEW}).status_code == 204
    assert asha.get("/me").status_code == 401
    assert undo(visitor, *undo_tokens()).status_code == 204
    assert email_of(asha) == old


def test_reset_link_after_corrected_typo_is_not_sent_to_mistyped_address(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, "slip@example.net")
    assert [to for to, _ in reset_links(visitor, "slip@example.net")] == [old]
    change_email(asha, "right@example.net")
    assert [one["send_to"] for one in mails("email_changed")] == [old]
    assert "link" not in mails("email_left")[0]
    assert reset_links(visitor, "slip@example.net")[1:] == []


def test_email_undo_of_later_change_keeps_link_of_earlier_change(users: Users) -> None:
    """A link undoes its own change and later ones, so using a later link keeps the earlier one valid."""
    asha, visitor = users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, "second@example.net")
    with later(days=2):
        again = users.sign_in(asha.username)
        change_email(again, "third@example.net")
        first, second = undo_tokens()
        assert undo(visitor, second).status_code == 204
        assert email_of(asha) == "second@example.net"
        assert undo(visitor, first).status_code == 204
        assert email_of(asha) == old
    signed_in_again = users.sign_in(asha.username)
    change_email(signed_in_again, "fourth@example.net")
    assert len(undo_tokens()) == 3, "a restored address counts as the owner's own"


def test_email_undo_of_first_change_invalidates_links_of_later_changes(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    change_email(asha, "second@example.net")
    with later(days=2):
        change_email(users.sign_in(asha.username), "third@example.net")
        first, second = undo_tokens()
        assert undo(visitor, first).status_code == 204
        assert undo(visitor, second).json["code"] == "link_invalid"


def test_email_within_undo_period_is_reserved_for_its_account(users: Users) -> None:
    asha, ravi, visitor = users.customer(), users.customer(), users.visitor()
    old = f"{asha.username}@example.org"
    change_email(asha, THIEF)
    taken = visitor.post("/add_customer", users.fields(email=old.upper()))
    assert (taken.status_code, taken.json["code"]) == (422, "email_taken")
    assert ravi.patch("/me", {"email": old}).json["code"] == "email_taken"
    assert asha.patch("/me", {"email": old}).status_code == 200, "its own account may return to it"
    with later(days=8):
        change_email(users.sign_in(asha.username), THIEF)
    with later(days=16):
        assert visitor.post("/add_customer", users.fields(email=old)).status_code == 201


def test_email_undo_with_address_taken_since_is_rejected_and_can_be_retried(users: Users) -> None:
    asha, ravi, visitor = users.customer(), users.customer(), users.visitor()
    change_email(asha, THIEF)
    account = db.session.get_one(Account, ravi.id)
    account.email_key = f"{asha.username}@example.org"  # as by a sign-up that checked before both changes
    db.session.commit()
    (token,) = undo_tokens()
    refused = undo(visitor, token)
    assert (refused.status_code, refused.json["code"]) == (422, "email_taken")
    account.email_key = f"{ravi.username}@example.org"
    db.session.commit()
    assert undo(visitor, token).status_code == 204


def test_email_undo_invalidates_open_reset_links(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    change_email(asha, THIEF)
    ((_, token),) = reset_links(visitor, THIEF)
    assert undo(visitor, *undo_tokens()).status_code == 204
    assert visitor.post("/password/reset", {"token": token, "password": NEW}).json["code"] == "link_invalid"


def test_email_undo_token_is_stored_only_as_digest(users: Users) -> None:
    asha = users.customer()
    change_email(asha, THIEF)
    (token,) = undo_tokens()
    kept = db.session.execute(select(MailedLink)).scalar_one()
    assert token not in (kept.token_hash, kept.email_key, kept.email)


def test_admin_account_changes_are_audited_and_notified_to_other_admins(users: Users) -> None:
    owner, other, visitor = users.admin(), users.admin(), users.visitor()
    change_email(owner, THIEF)
    assert undo(visitor, *undo_tokens()).status_code == 204
    ((_, token),) = reset_links(visitor, f"{owner.username}@example.org")
    assert visitor.post("/password/reset", {"token": token, "password": NEW}).status_code == 204
    back = users.sign_in(owner.username, NEW)
    assert back.post("/me/password", {"current_password": NEW, "password": PASSWORD}).status_code == 204
    made = back.post("/admins", users.fields())
    assert made.status_code == 201
    assert actions_of(owner) == [
        "account_email_changed",
        "account_email_restored",
        "password_reset",
        "password_changed",
    ]
    entry = db.session.execute(select(AuditEntry).where(AuditEntry.action == "account_email_changed")).scalar_one()
    assert (entry.before, entry.after) == ({"email": f"{owner.username}@example.org"}, {"email": THIEF})
    notifications = db.session.execute(select(Notification).order_by(Notification.id)).scalars()
    assert [(row.account_id, render(row.kind, row.params).title) for row in notifications] == [
        (other.id, f"Email of an admin changed: {owner.username}"),
        (other.id, f"Email of an admin changed back: {owner.username}"),
        (other.id, f"Password of an admin reset: {owner.username}"),
        (other.id, f"Password of an admin changed: {owner.username}"),
        (other.id, f"New admin: {made.json['username']}"),
    ]


def test_customer_email_change_is_not_audited_or_notified_to_admins(users: Users) -> None:
    asha, admin = users.customer(), users.admin()
    change_email(asha, "moved@example.net")
    assert actions_of(asha) == []
    assert admin.get("/notifications").json["items"] == []


STEP_UP = ("email", "admins", "block", "end_sessions")


def guarded(users: Users, who: User, other: User, call: str) -> Any:
    if call == "email":
        return who.patch("/me", {"email": f"new-{who.username}@example.net"})
    if call == "admins":
        return who.post("/admins", users.fields())
    return who.post(f"/users/{other.id}/{call}", {"reason": "other"} if call == "block" else None)


@pytest.mark.parametrize("call", STEP_UP)
def test_step_up_after_ten_minutes_requires_password_confirmation(users: Users, call: str) -> None:
    admin, other = users.admin(), users.admin()
    with later(minutes=10, seconds=5):
        refused = guarded(users, admin, other, call)
        assert (refused.status_code, refused.json["code"]) == (401, "fresh_sign_in_needed")
        assert "insufficient_user_authentication" in refused.headers["WWW-Authenticate"]
        assert email_of(admin) == f"{admin.username}@example.org"
        wrong = admin.post("/me/confirm-password", {"password": "not it"})
        assert (wrong.status_code, wrong.json["code"], list(wrong.json["errors"])) == (
            422,
            "wrong_password",
            ["password"],
        )
        assert guarded(users, admin, other, call).status_code == 401
        assert admin.post("/me/confirm-password", {"password": PASSWORD}).status_code == 204
        assert guarded(users, admin, other, call).status_code in (200, 201, 204)


@pytest.mark.parametrize("call", STEP_UP)
def test_step_up_within_ten_minutes_needs_no_confirmation(users: Users, call: str) -> None:
    admin, other = users.admin(), users.admin()
    with later(minutes=9):
        assert guarded(users, admin, other, call).status_code in (200, 201, 204)


def test_step_up_after_token_refresh_still_requires_confirmation(users: Users) -> None:
    admin, visitor = users.admin(), users.visitor()
    body = {"username": admin.username, "password": PASSWORD, "client": "api"}
    tokens = visitor.post("/check", body).json
    with later(minutes=11):
        bearer = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        admin.token = visitor.post("/token/refresh", headers=bearer).json["access_token"]
        assert guarded(users, admin, admin, "email").status_code == 401


def test_step_up_is_not_required_for_customers_and_other_changes(users: Users) -> None:
    admin, asha = users.admin(), users.customer()
    with later(minutes=12):
        change_email(asha, "moved@example.net")
        assert admin.patch("/me", {"firstname": "Meera", "email": f"{admin.username}@EXAMPLE.org"}).status_code == 200
        assert admin.post(f"/users/{asha.id}/end_sessions").status_code == 204
        assert admin.post(f"/users/{asha.id}/block", {"reason": "other"}).status_code == 200


def test_confirm_password_with_repeated_wrong_guesses_is_throttled(users: Users) -> None:
    admin = users.admin()
    codes = [admin.post("/me/confirm-password", {"password": "not it"}).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


@pytest.mark.parametrize("way", ["password", "everywhere", "by an admin", "another link"])
def test_reset_link_after_security_change_is_invalid(users: Users, way: str) -> None:
    asha, visitor = users.customer(), users.visitor()
    ((_, token),) = reset_links(visitor, f"{asha.username}@example.org")
    if way == "password":
        answer = asha.post("/me/password", {"current_password": PASSWORD, "password": NEW})
    elif way == "everywhere":
        answer = asha.post("/logout/everywhere")
    elif way == "by an admin":
        answer = users.admin().post(f"/users/{asha.id}/end_sessions")
    else:
        newest = reset_links(visitor, f"{asha.username}@example.org")[-1][1]
        answer = visitor.post("/password/reset", {"token": newest, "password": NEW})
    assert answer.status_code == 204
    late = visitor.post("/password/reset", {"token": token, "password": "the thief's own 88"})
    assert (late.status_code, late.json["code"]) == (422, "link_invalid")


def test_end_sessions_by_admin_signs_user_out_without_blocking(users: Users) -> None:
    asha, admin = users.customer(), users.admin()
    second = users.sign_in(asha.username)
    assert admin.post(f"/users/{asha.id}/end_sessions").status_code == 204
    assert asha.get("/me").status_code == second.get("/me").status_code == 401
    assert users.sign_in(asha.username).get("/me").json["isactive"] == 1
    assert admin.get("/me").status_code == 200
    entry = db.session.execute(select(AuditEntry).where(AuditEntry.action == "sessions_ended")).scalar_one()
    assert (entry.actor_id, entry.subject_id, entry.after) == (admin.id, asha.id, {"sessions": 2})
    assert admin.post("/users/999999/end_sessions").status_code == 404

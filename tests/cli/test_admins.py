"""The command `flask admins`."""

import re
from datetime import UTC, datetime, timedelta

import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from backend.core.db.session import db, transaction
from backend.domain.accounts import sign_in
from backend.domain.audit.models import AuditEntry
from backend.domain.notifications.models import Delivery
from tests.factories.users import PASSWORD, Users


def admins(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["admins", *arguments])


def test_admins_create_adds_admin_and_shows_password_once(app: Flask, users: Users) -> None:
    made = admins(app, "create", "--username", "asha", "--email", "asha@example.org")
    assert made.exit_code == 0, made.output
    found = re.search(r"shown only once\): (\S+)", made.output)
    assert found
    admin = users.sign_in("asha", found.group(1))
    assert admin.role == "admin"
    assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["admin_created"]


def test_admins_create_with_invalid_field_names_it(app: Flask, users: Users) -> None:
    customer = users.customer()
    for arguments, field in (
        (["--username", "a b", "--email", "x@example.org"], "username"),
        (["--username", "fine", "--email", "no mail"], "email"),
        (["--username", "fine", "--email", "x@example.org", "--pincode", "999999"], "pincode"),
        (["--username", "fine", "--email", "x@example.org", "--password", "password123"], "password"),
        (["--username", customer.username.upper(), "--email", "x@example.org"], "username"),
    ):
        refused = admins(app, "create", *arguments)
        assert refused.exit_code == 1
        assert f"{field}:" in refused.output


def test_admins_reset_password_ends_all_sessions(app: Flask, users: Users) -> None:
    admin = users.admin()
    reset = admins(app, "reset-password", admin.username, "--password", "another good one 77")
    assert reset.exit_code == 0, reset.output
    assert "another good one 77" not in reset.output
    assert admin.get("/me").status_code == 401
    assert users.sign_in(admin.username, "another good one 77").id == admin.id
    assert admins(app, "reset-password", admin.username, "--password", "short").exit_code == 1
    assert admins(app, "reset-password", users.customer().username).exit_code == 1


def test_temporary_password_only_allows_to_choose_another(app: Flask, users: Users) -> None:
    users.admin(username="asha")
    shown = re.search(r"shown only once\): (\S+)", admins(app, "reset-password", "asha").output)
    assert shown
    first = shown.group(1)
    admin = users.sign_in("asha", first)
    assert admin.get("/me").json["must_change_password"] == 1
    for path in ("/customers", "/notifications", "/me/sessions"):
        refused = admin.get(path)
        assert (refused.status_code, refused.json["code"]) == (403, "password_change_needed")
    assert admin.patch("/me", {"firstname": "Asha"}).status_code == 403
    assert admin.post("/me/password", {"current_password": first, "password": PASSWORD}).status_code == 204
    assert "must_change_password" not in admin.get("/me").json
    assert admin.get("/customers").status_code == 200


def test_temporary_password_expires_after_72_hours(app: Flask, users: Users) -> None:
    made = admins(app, "create", "--username", "asha", "--email", "asha@example.org")
    shown = re.search(r"shown only once\): (\S+)", made.output)
    assert shown
    body = {"username": "asha", "password": shown.group(1)}
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=72, seconds=5)):
        late = users.visitor().post("/check", body)
        assert (late.status_code, late.json["code"]) == (403, "password_expired")
        assert users.visitor().post("/check", {**body, "password": "not it"}).json["code"] == "invalid_credentials"
        with transaction():
            sign_in.mail_reset_link("asha@example.org")
        params = db.session.execute(select(Delivery.params).where(Delivery.kind == "password_reset")).scalar_one()
        token = str(params["link"]).partition("#token=")[2]
        answer = users.visitor().post("/password/reset", {"token": token, "password": PASSWORD})
        assert answer.status_code == 204
        assert users.sign_in("asha").get("/customers").status_code == 200
    assert users.visitor().post("/check", body).status_code == 401


def test_admins_reset_password_with_given_password_needs_no_change(app: Flask, users: Users) -> None:
    users.admin(username="asha")
    admins(app, "reset-password", "asha", "--password", "another good one 77")
    assert users.sign_in("asha", "another good one 77").get("/customers").status_code == 200


def test_admins_list_shows_usernames_and_blocks(app: Flask, users: Users) -> None:
    first, second = users.admin(), users.admin()
    first.post(f"/users/{second.id}/block", {"reason": "other"})
    lines = admins(app, "list").output.splitlines()
    assert [line.split("\t")[1] for line in lines] == [first.username, second.username]
    assert "blocked" in lines[1]
    assert PASSWORD not in "".join(lines)

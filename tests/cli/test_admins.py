"""`flask admins`."""

import re

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from backend.core.database import db
from backend.domain.audit.models import AuditEntry
from tests.factories.people import PASSWORD, People


def admins(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["admins", *arguments])


def test_an_admin_is_made_and_the_password_shown_once(app: Flask, people: People) -> None:
    made = admins(app, "create", "--username", "asha", "--email", "asha@example.org")
    assert made.exit_code == 0, made.output
    found = re.search(r"shown this once: (\S+)", made.output)
    assert found
    admin = people.sign_in("asha", found.group(1))
    assert admin.role == "admin"
    assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["admin_created"]


def test_wrong_fields_are_told(app: Flask, people: People) -> None:
    customer = people.customer()
    for arguments, told in (
        (["--username", "a b", "--email", "x@example.org"], "username"),
        (["--username", "fine", "--email", "no mail"], "email"),
        (["--username", "fine", "--email", "x@example.org", "--pincode", "999999"], "pincode"),
        (["--username", "fine", "--email", "x@example.org", "--password", "password123"], "password"),
        (["--username", customer.username.upper(), "--email", "x@example.org"], "username"),
    ):
        refused = admins(app, "create", *arguments)
        assert refused.exit_code == 1
        assert f"{told}:" in refused.output


def test_a_new_password_ends_all_sessions(app: Flask, people: People) -> None:
    admin = people.admin()
    reset = admins(app, "reset-password", admin.username, "--password", "another good one 77")
    assert reset.exit_code == 0, reset.output
    assert "another good one 77" not in reset.output
    assert admin.get("/me").status_code == 401
    assert people.sign_in(admin.username, "another good one 77").id == admin.id
    assert admins(app, "reset-password", admin.username, "--password", "short").exit_code == 1
    assert admins(app, "reset-password", people.customer().username).exit_code == 1


def test_the_list(app: Flask, people: People) -> None:
    first, second = people.admin(), people.admin()
    first.post(f"/users/{second.id}/block", {"reason": "other"})
    lines = admins(app, "list").output.splitlines()
    assert [line.split("\t")[1] for line in lines] == [first.username, second.username]
    assert "blocked" in lines[1]
    assert PASSWORD not in "".join(lines)

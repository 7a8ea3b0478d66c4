"""The audit trail: listing, filters, immutability, recorded reads and the hash chain."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.security.authz import SYSTEM
from backend.domain.audit import chain
from backend.domain.audit.models import AuditEntry
from tests.factories.users import PASSWORD, User, Users


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


def test_audit_list_is_filtered_and_paginated_newest_first(users: Users, admin: User) -> None:
    other, asha = users.admin(), users.customer()
    admin.post(f"/users/{asha.id}/block", {"reason": "fraud", "note": "Paid with a false cheque"})
    other.post(f"/users/{asha.id}/unblock")
    other.post("/admins", users.fields("third"))
    entries = admin.get("/audit").json["items"]
    assert [entry["action"] for entry in entries] == ["admin_created", "account_unblocked", "account_blocked"]
    blocked = entries[2]
    assert (blocked["actor_id"], blocked["subject_id"], blocked["address"]) == (admin.id, asha.id, "127.0.0.1")
    assert blocked["after"] == {"reason": "fraud", "note": "Paid with a false cheque"}
    assert blocked["subject_username"] == asha.username
    assert PASSWORD not in admin.get("/audit").get_data(as_text=True)

    def count(**query: Any) -> int:
        answer = admin.get("/audit", query_string=query)
        assert answer.status_code == 200, answer.json
        return len(answer.json["items"])

    assert count(actor_id=admin.id) == 1
    assert count(actor_id=other.id) == 2
    assert count(subject_id=asha.id) == 2
    assert count(action="account_blocked") == 1
    today = datetime.now(UTC).astimezone().strftime("%Y-%m-%d")
    assert count(**{"from": "2020-01-01", "to": "2090-01-01"}) == 3
    assert count(to="2020-01-01") == 0
    assert admin.get("/audit", query_string={"from": today, "to": "2020-01-01"}).status_code == 422
    assert admin.get("/audit", query_string={"from": "yesterday"}).status_code == 422
    first = admin.get("/audit?limit=2").json
    rest = admin.get(f"/audit?limit=2&cursor={first['next_cursor']}").json
    assert [entry["id"] for entry in first["items"] + rest["items"]] == [entry["id"] for entry in entries]
    assert asha.get("/audit").status_code in (401, 403)


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
)
def test_audit_entries_table_rejects_update_delete_and_truncate(users: Users, change: str) -> None:
    db.session.add(AuditEntry(actor_role=SYSTEM.role.value, action="tried", subject_kind="account"))
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(change))
    db.session.rollback()
    assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["tried"]


def actions_of(admin: User, **query: Any) -> list[str]:
    return [entry["action"] for entry in admin.get("/audit", query_string=query).json["items"]]


def test_audit_of_account_reads_records_one_entry_per_hour(users: Users, admin: User) -> None:
    asha = users.customer()
    for _ in range(3):
        assert admin.get(f"/customers/{asha.id}").status_code == 200
        assert admin.get("/customers").status_code == 200
    assert sorted(actions_of(admin)) == ["people_listed", "person_viewed"]
    [viewed] = admin.get("/audit?action=person_viewed").json["items"]
    assert (viewed["actor_id"], viewed["subject_id"], viewed["address"]) == (admin.id, asha.id, "127.0.0.1")
    with time_machine.travel(now() + timedelta(hours=1)):
        again = users.sign_in(admin.username)
        assert again.get(f"/customers/{asha.id}").status_code == 200
    assert actions_of(admin).count("person_viewed") == 2
    assert actions_of(admin, changes_only=1) == []
    assert asha.get("/me").status_code == 200


def test_audit_of_document_views_records_one_entry_per_hour(users: Users, admin: User) -> None:
    ravi = users.professional()
    for query in ("", "?page=1"):
        assert admin.get(f"/professionals/{ravi.id}/document{query}").status_code == 200
    assert actions_of(admin, action="document_viewed") == ["document_viewed"]


def test_audit_of_reads_by_two_admins_records_an_entry_for_each(users: Users, admin: User) -> None:
    asha, other = users.customer(), users.admin()
    for reader in (admin, other):
        reader.get(f"/customers/{asha.id}")
    assert actions_of(admin).count("person_viewed") == 2


def test_audit_of_account_reads_is_left_out_of_account_history(users: Users, admin: User) -> None:
    asha = users.customer()
    admin.get(f"/customers/{asha.id}")
    assert admin.get(f"/customers/{asha.id}").json["history"] == []


def add_entry(action: str) -> None:
    db.session.add(AuditEntry(actor_role=SYSTEM.role.value, action=action, subject_kind="account"))
    db.session.commit()


def tamper(statement: str) -> None:
    """Change the database as only its owner can, with triggers disabled."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(statement))
    db.session.commit()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE audit_entries SET action = 'nothing' WHERE action = 'second'", "the entry was changed"),
        ("DELETE FROM audit_entries WHERE action = 'second'", "the entry was removed"),
        ("DELETE FROM audit_seals WHERE position = 2", "seals are missing before it"),
        (
            "UPDATE audit_seals SET digest = sha256('x') WHERE position = 2",
            "its seal does not follow",
        ),
        (
            "INSERT INTO audit_entries (actor_role, action, subject_kind) VALUES ('a', 'b', 'c')",
            "the entry has no seal",
        ),
    ],
)
def test_audit_chain_after_tampering_behind_triggers_reports_problem(users: Users, change: str, problem: str) -> None:
    for action in ("first", "second", "third"):
        add_entry(action)
    assert chain.verify().findings == []
    tamper(change)
    assert any(finding.problem.startswith(problem) for finding in chain.verify().findings)


def test_audit_chain_with_concurrent_writers_is_valid(users: Users, app: Flask) -> None:
    def write(n: int) -> None:
        with app.app_context():
            for m in range(5):
                add_entry(f"{n} {m}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    verdict = chain.verify()
    assert (verdict.seals, verdict.findings) == (40, [])


def test_audit_verify_command_with_removed_entry_fails(users: Users, app: Flask) -> None:
    add_entry("kept")
    run = app.test_cli_runner().invoke
    assert run(args=["audit-verify"]).exit_code == 0
    tamper("DELETE FROM audit_entries")
    result = run(args=["audit-verify"])
    assert result.exit_code == 1
    assert "the entry was removed" in result.output

"""The trail of what admins did: read and searched, never changed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from backend.core.authz import MARKET
from backend.core.database import db
from backend.domain.audit.models import AuditEntry
from tests.factories.people import PASSWORD, People, Person


@pytest.fixture
def admin(people: People) -> Person:
    return people.admin()


def test_the_trail_of_what_admins_did(people: People, admin: Person) -> None:
    other, asha = people.admin(), people.customer()
    admin.post(f"/users/{asha.id}/block", {"reason": "fraud", "note": "Paid with a false cheque"})
    other.post(f"/users/{asha.id}/unblock")
    other.post("/admins", people.fields("third"))
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
def test_the_database_itself_refuses_to_change_the_trail(people: People, change: str) -> None:
    db.session.add(AuditEntry(actor_role=MARKET.role.value, action="tried", subject_kind="account"))
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(change))
    db.session.rollback()
    assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["tried"]

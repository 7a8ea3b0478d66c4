"""An approval decision applies to the document that the admin viewed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from backend.core.db.session import db
from backend.domain.audit.models import AuditEntry
from tests.factories.files import form, picture
from tests.factories.users import User, Users


@pytest.fixture
def ravi(users: Users) -> User:
    return users.professional(approved=False)


def upload(user: User, width: int) -> dict[str, Any]:
    """Upload a picture of this width and return the account's document."""
    answer = user.put("/me/document", **form(picture(size=(width, 9))))
    assert answer.status_code == 200, answer.json
    document: dict[str, Any] = answer.json["document"]
    return document


def audit(action: str) -> dict[str, Any]:
    entry = db.session.execute(select(AuditEntry.after).where(AuditEntry.action == action)).scalar_one()
    assert entry is not None
    return dict(entry)


DECISIONS = [("approve", {}, "approved"), ("reject", {"reason": "Cannot be read"}, "rejected")]


@pytest.mark.parametrize(("verb", "body", "state"), DECISIONS)
def test_document_decision_on_replaced_document_is_rejected(
    users: Users, ravi: User, verb: str, body: dict[str, Any], state: str
) -> None:
    admin = users.admin()
    seen = upload(ravi, 10)
    assert admin.get(f"/professionals/{ravi.id}").json["document"] == seen
    current = upload(ravi, 11)
    assert (current["id"] != seen["id"], current["sha256"] != seen["sha256"]) == (True, True)
    late = admin.post(f"/professionals/{ravi.id}/{verb}", {**body, "document_id": seen["id"]})
    assert (late.status_code, late.json["code"]) == (409, "document_replaced")
    assert ravi.get("/me").json["approval"] == "pending"
    decided = admin.post(f"/professionals/{ravi.id}/{verb}", {**body, "document_id": current["id"]})
    assert (decided.status_code, decided.json["approval"]) == (200, state)
    after = audit(f"professional_{state}")
    assert (after["document_id"], after["sha256"]) == (current["id"], current["sha256"])


@pytest.mark.parametrize(("verb", "body", "state"), DECISIONS)
def test_document_upload_after_decision_returns_approval_to_pending(
    users: Users, ravi: User, verb: str, body: dict[str, Any], state: str
) -> None:
    admin, seen = users.admin(), upload(ravi, 10)
    decided = admin.post(f"/professionals/{ravi.id}/{verb}", {**body, "document_id": seen["id"]})
    assert decided.json["approval"] == state
    upload(ravi, 11)
    assert ravi.get("/me").json["approval"] == "pending"


@pytest.mark.parametrize(("verb", "body", "state"), DECISIONS)
def test_document_decision_without_document_id_applies_to_current_document(
    users: Users, ravi: User, verb: str, body: dict[str, Any], state: str
) -> None:
    admin, document = users.admin(), upload(ravi, 10)
    assert admin.post(f"/professionals/{ravi.id}/{verb}", {**body, "document_id": None}).json["approval"] == state
    assert audit(f"professional_{state}")["document_id"] == document["id"]


def test_approve_without_any_document_returns_document_missing(users: Users, ravi: User) -> None:
    answer = users.admin().post(f"/professionals/{ravi.id}/approve", {"document_id": 4711})
    assert (answer.status_code, answer.json["code"]) == (409, "document_missing")


def test_approve_concurrent_with_upload_never_approves_unseen_document(users: Users, ravi: User) -> None:
    admin = users.admin()
    for turn in range(8):
        seen, start = upload(ravi, 20 + turn), Barrier(2)

        def approve(seen: dict[str, Any] = seen, start: Barrier = start) -> Any:
            start.wait()
            return admin.post(f"/professionals/{ravi.id}/approve", {"document_id": seen["id"]})

        def replace(turn: int = turn, start: Barrier = start) -> dict[str, Any]:
            start.wait()
            return upload(ravi, 60 + turn)

        with ThreadPoolExecutor(2) as pool:
            approved, replaced = pool.submit(approve), pool.submit(replace)
            answer, current = approved.result(), replaced.result()
        assert answer.status_code in (200, 409), answer.json
        if answer.status_code == 409:
            assert answer.json["code"] == "document_replaced"
        me = ravi.get("/me").json
        assert (me["approval"], me["document"]["id"]) == ("pending", current["id"])

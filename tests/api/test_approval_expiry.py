"""Approvals that expire or are withdrawn, and the release of accepted requests that follows."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from backend.core.db.session import db, transaction
from backend.domain.notifications.models import Delivery
from backend.domain.professionals import approval_expiry
from backend.domain.task_requests import bulk, notifications
from tests.factories.files import form, picture
from tests.factories.requests import RequestMarket, at, notified_kinds
from tests.factories.users import User, Users


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def release_unapproved() -> int:
    with transaction():
        return bulk.release_unapproved()


def test_approval_expiry_reminds_once_and_ends_approval_once(users: Users, admin: User) -> None:
    ravi = users.professional()
    path = f"/professionals/{ravi.id}"
    now = datetime.now(UTC)
    soon = now + timedelta(days=20)
    assert admin.patch(path, {"approval_expires_at": "2020-01-01T00:00:00Z"}).status_code == 422
    answer = admin.patch(path, {"approval_expires_at": soon.isoformat()})
    assert answer.status_code == 200, answer.json
    assert answer.json["approval_expires_at"].startswith(f"{soon:%Y-%m-%d}")
    assert approval_expiry.remind_expiring(now) == 1
    assert approval_expiry.remind_expiring(now) == 0
    assert approval_expiry.expire_approvals(now) == 0
    assert approval_expiry.expire_approvals(soon) == 1
    assert approval_expiry.expire_approvals(soon) == 0
    db.session.commit()
    me = ravi.get("/me").json
    assert (me["approval"], me["isactive"]) == ("expired", 0)
    sent = db.session.execute(select(Delivery.kind).where(Delivery.account_id == ravi.id)).scalars()
    assert {"document_expiring", "document_expired"} <= set(sent)
    assert ravi.put("/me/document", **form(picture())).json["approval"] == "pending"


def test_approval_past_its_expiry_is_inactive_before_job_runs(users: Users, admin: User) -> None:
    ravi = users.professional()
    past = text("UPDATE professionals SET approval_expires_at = now() - interval '1 second' WHERE account_id = :id")
    db.session.execute(past, {"id": ravi.id})
    db.session.commit()
    assert (ravi.get("/me").json["approval"], ravi.get("/me").json["isactive"]) == ("expired", 0)
    assert ravi.get("/requests").json["code"] == "not_active"
    assert [one["id"] for one in admin.get("/professionals?approval=expired").json["items"]] == [ravi.id]
    assert admin.get("/professionals?approval=approved").json["items"] == []
    assert admin.post(f"/professionals/{ravi.id}/approve").json["isactive"] == 1


def test_release_unapproved_reopens_only_future_accepted_requests(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    ahead = market.bring_to("accepted", asha, ravi, date_of_request=at(days=40))["id"]
    kept = market.bring_to("accepted", asha, sita, date_of_request=at(days=40))["id"]
    done = market.bring_to("completed", asha, ravi, date_of_request=at(days=41))["id"]
    started = market.bring_to("accepted", asha, ravi, date_of_request=at(hours=2))["id"]
    with transaction():
        approval_expiry.expire_approvals()
        assert bulk.release_unapproved() == 0
        ended = "UPDATE professionals SET approval_expires_at = now() - interval '1 minute' WHERE account_id = :id"
        db.session.execute(text(ended), {"id": ravi.id})
        db.session.execute(
            text("UPDATE task_requests SET date_of_request = now() - interval '1 hour' WHERE id = :id"), {"id": started}
        )
        assert approval_expiry.expire_approvals() == 1
    assert (release_unapproved(), release_unapproved()) == (1, 0)
    seen = asha.get(f"/requests/{ahead}").json
    assert (seen["status"], seen["professional_id"], seen["asked_professional_id"]) == ("requested", None, None)
    entry = seen["history"][-1]
    assert (entry["action"], entry["actor_role"], entry["note"]) == ("release", "market", notifications.NOT_APPROVED)
    assert notified_kinds(asha)[0] == "request_released"
    states = [asha.get(f"/requests/{one}").json["status"] for one in (kept, done, started)]
    assert states == ["accepted", "completed", "accepted"], "work that was done can still be completed by its customer"
    assert sita.get(f"/requests/{ahead}").status_code == 200


def test_release_unapproved_for_pending_document_starts_a_day_before(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi = users.customer(), market.professional()
    soon = market.bring_to("accepted", asha, ravi, date_of_request=at(hours=20))["id"]
    later = market.bring_to("accepted", asha, ravi, date_of_request=at(days=3))["id"]
    assert ravi.put("/me/document", **form(picture())).json["approval"] == "pending"
    assert release_unapproved() == 1
    assert [asha.get(f"/requests/{one}").json["status"] for one in (soon, later)] == ["requested", "accepted"]
    admin.post(f"/professionals/{ravi.id}/reject", {"reason": "Not readable"})
    assert release_unapproved() == 1
    assert asha.get(f"/requests/{later}").json["status"] == "requested"


def test_lost_approval_is_checked_until_no_request_is_held(users: Users, market: RequestMarket, admin: User) -> None:
    asha, ravi = users.customer(), market.professional()
    held = market.bring_to("accepted", asha, ravi, date_of_request=at(days=3))["id"]

    def is_checked() -> bool:
        statement = text("SELECT holds_checked_at IS NOT NULL FROM professionals WHERE account_id = :id")
        found: bool = db.session.execute(statement, {"id": ravi.id}).scalar_one()
        db.session.rollback()
        return found

    for _ in range(2):  # the second time after another approval
        assert ravi.put("/me/document", **form(picture())).json["approval"] == "pending"
        assert (release_unapproved(), is_checked()) == (0, False)
        assert admin.post(f"/professionals/{ravi.id}/reject", {"reason": "Not readable"}).status_code == 200
        assert (release_unapproved(), release_unapproved(), is_checked()) == (1, 0, True)
        assert ravi.put("/me/document", **form(picture())).json["approval"] == "pending"
        assert admin.post(f"/professionals/{ravi.id}/approve").json["isactive"] == 1
        assert is_checked()
        assert ravi.post(f"/requests/{held}/accept").status_code == 200

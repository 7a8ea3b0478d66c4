"""Effects of a block on others: requests are released or cancelled, and those affected are notified."""

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from tests.factories.requests import RequestMarket, notified_kinds
from tests.factories.users import User, Users

BLOCK = {"reason": "fraud", "note": "Paid with a false cheque"}


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


def test_block_of_professional_releases_open_requests_and_notifies_customer(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi, meera = users.customer(), market.professional(), market.professional()
    accepted = market.bring_to("accepted", asha, ravi)
    closed = market.bring_to("closed", asha, ravi, date_of_request="2090-01-05T10:00:00+05:30")
    asked = market.ask(asha, professional_id=ravi.id)
    assert admin.post(f"/users/{ravi.id}/block", BLOCK).status_code == 200
    back = asha.get(f"/requests/{accepted['id']}").json
    assert (back["status"], back["professional_id"]) == ("requested", None)
    assert asha.get(f"/requests/{closed['id']}").json["status"] == "closed"
    assert {"request_released", "request_opened"} <= set(notified_kinds(asha))
    assert "cheque" not in asha.get("/notifications").get_data(as_text=True), "the reason is not shown to customers"
    open_now = [one["id"] for one in meera.get("/requests").json["items"]]
    assert {accepted["id"], asked["id"]} <= set(open_now)
    assert meera.post(f"/requests/{accepted['id']}/accept").json["status"] == "accepted"
    refused = ravi.post(f"/requests/{asked['id']}/accept")
    assert (refused.status_code, refused.json["code"]) == (403, "account_blocked")


def test_block_of_professional_hides_them_from_task_professionals(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi = users.customer(), market.professional()
    path = f"/tasks/{market.task_id}/professionals"
    assert [one["id"] for one in asha.get(path).json["items"]] == [ravi.id]
    admin.post(f"/users/{ravi.id}/block", BLOCK)
    assert asha.get(path).json["items"] == []
    admin.post(f"/users/{ravi.id}/unblock")
    assert [one["id"] for one in asha.get(path).json["items"]] == [ravi.id]


def test_block_of_customer_cancels_requests_and_notifies_professional(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi = users.customer(), market.professional()
    accepted = market.bring_to("accepted", asha, ravi)
    waiting = market.ask(asha, date_of_request="2090-01-05T10:00:00+05:30")
    assert admin.post(f"/users/{asha.id}/block", {"reason": "other"}).status_code == 200
    for request in (accepted, waiting):
        found = admin.get(f"/requests/{request['id']}").json
        assert (found["status"], found["history"][-1]["actor_id"]) == ("cancelled", admin.id)
    assert "request_cancelled" in notified_kinds(ravi)
    assert waiting["id"] not in [one["id"] for one in ravi.get("/requests").json["items"]]


def test_account_statistics_count_closed_released_and_reviewed_requests(
    users: Users, market: RequestMarket, admin: User
) -> None:
    asha, ravi = users.customer(), market.professional()
    closed = market.bring_to("closed", asha, ravi)
    asha.post(f"/requests/{closed['id']}/review", {"rating": 4, "comment": "Quick and clean"})
    released = market.bring_to("accepted", asha, ravi, date_of_request="2090-01-05T10:00:00+05:30")
    ravi.post(f"/requests/{released['id']}/release", {"reason": "The van broke down"})
    one = admin.get(f"/professionals/{ravi.id}").json
    assert (one["figures"]["closed"], one["figures"]["value_closed"]) == (1, "499.00")
    assert (one["figures"]["released_90_days"], one["rating"], one["reviews"]) == (1, 4.0, 1)
    assert [review["comment"] for review in one["latest_reviews"]] == ["Quick and clean"]
    customer = admin.get(f"/customers/{asha.id}").json
    assert (customer["figures"]["closed"], customer["figures"]["requested"]) == (1, 1)
    assert len(customer["latest_reviews"]) == 1


def test_document_replaced_after_approval_hides_professional_from_task(users: Users, market: RequestMarket) -> None:
    from tests.factories.files import form, picture

    asha, ravi = users.customer(), market.professional()
    ravi.put("/me/document", **form(picture()))
    assert asha.get(f"/tasks/{market.task_id}/professionals").json["items"] == []
    assert ravi.get("/requests").json["code"] == "not_active"
    db.session.rollback()
    assert db.session.execute(text("SELECT count(*) FROM professional_areas")).scalar_one() == 0

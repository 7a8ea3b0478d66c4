"""Changes to requests without a user: expiry, opening to all, release and cancellation after a block."""

from datetime import timedelta

import pytest
from sqlalchemy import func, text, update
from sqlalchemy.exc import IntegrityError

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.security.authz import SYSTEM, Actor, Role
from backend.domain.task_requests import bulk
from backend.domain.task_requests.models import TaskRequest
from tests.factories.requests import RequestMarket, at, notified_kinds
from tests.factories.users import User, Users

LONG_AGO = """
UPDATE task_requests SET (accepted_at, completed_at, closed_at)
     = (now() - interval '32 days', now() - interval '31 days', now() - interval '31 days')
"""
NOT_ALLOWED: dict[str, dict[str, object]] = {
    "accepted by nobody": {"status": "accepted"},
    "closed without a time": {"status": "closed"},
    "cancelled without a time": {"status": "cancelled"},
    "a state that does not exist": {"status": "lost"},
    "awaiting an answer of nobody": {"asked_until": func.now()},
    "reviewed before it is done": {"reviewed_at": func.now()},
    "waiting and taken": {"professional_id": TaskRequest.customer_id},
}


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def state(who: User, request_id: int) -> tuple[str, int | None]:
    seen = who.get(f"/requests/{request_id}").json
    return seen["status"], seen["asked_professional_id"]


def test_expire_due_expires_only_unaccepted_past_requests(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    waiting = market.ask(asha, date_of_request=at(hours=2))["id"]
    taken = market.bring_to("accepted", asha, ravi, date_of_request=at(hours=1))["id"]
    later = market.ask(asha, date_of_request=at(hours=9))["id"]
    with transaction():
        assert bulk.expire_due(now() + timedelta(hours=3), limit=10) == 1
    assert [state(asha, key)[0] for key in (waiting, taken, later)] == ["expired", "accepted", "requested"]
    assert notified_kinds(asha)[0] == "request_expired"
    entry = asha.get(f"/requests/{waiting}").json["history"][-1]
    assert (entry["action"], entry["actor_id"], entry["actor_role"], entry["to"]) == (
        "expire",
        None,
        "market",
        "expired",
    )
    with transaction():
        assert bulk.expire_due(now() + timedelta(hours=3), limit=10) == 0


def test_open_unanswered_opens_request_to_all_after_time_limit(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    request_id = market.ask(asha, professional_id=ravi.id, date_of_request=at(days=2))["id"]
    with transaction():
        assert bulk.open_unanswered(now() + timedelta(minutes=119)) == 0
        assert bulk.open_unanswered(now() + timedelta(minutes=121)) == 1
    assert state(asha, request_id) == ("requested", None)
    assert notified_kinds(asha) == ["request_opened"]
    assert sita.get(f"/requests/{request_id}").status_code == 200


def test_request_past_response_time_is_open_before_job_runs(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    request_id = market.ask(asha, professional_id=ravi.id)["id"]
    assert sita.get(f"/requests/{request_id}").status_code == 404
    with transaction():
        db.session.execute(text("UPDATE task_requests SET asked_until = now() - interval '1 second'"))
    assert [item["id"] for item in sita.get("/requests").json["items"]] == [request_id]
    assert sita.post(f"/requests/{request_id}/accept").status_code == 200


def test_release_all_of_blocked_professional_reopens_their_requests(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita, admin = users.customer(), market.professional(), market.professional(), users.admin()
    held = market.bring_to("accepted", asha, ravi)["id"]
    done = market.bring_to("completed", asha, ravi, date_of_request=at(days=3))["id"]
    asked = market.ask(asha, professional_id=ravi.id, date_of_request=at(days=4))["id"]
    with transaction():
        who = Actor(id=admin.id, role=Role.ADMIN)
        assert bulk.release_all(who, professional_id=ravi.id, reason="No longer here") == 2
    assert state(asha, held) == ("requested", None)
    assert state(asha, asked) == ("requested", None)
    assert state(asha, done)[0] == "completed"
    assert notified_kinds(asha)[:2] == ["request_opened", "request_released"]
    entry = asha.get(f"/requests/{held}").json["history"][-1]
    assert (entry["action"], entry["actor_role"], entry["note"]) == ("release", "admin", "No longer here")
    assert sita.get(f"/requests/{asked}").status_code == 200


def test_cancel_all_of_blocked_customer_cancels_open_requests(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    held = market.bring_to("accepted", asha, ravi)["id"]
    asked = market.ask(asha, professional_id=sita.id, date_of_request=at(days=4))["id"]
    done = market.bring_to("closed", asha, ravi, date_of_request=at(days=3))["id"]
    with transaction():
        assert bulk.cancel_all(SYSTEM, customer_id=asha.id, reason="other") == 2
    assert [state(asha, key)[0] for key in (held, asked, done)] == ["cancelled", "cancelled", "closed"]
    assert (notified_kinds(ravi)[0], notified_kinds(sita)[0]) == ("request_cancelled", "request_cancelled")


def test_request_contact_is_hidden_thirty_days_after_end(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = market.bring_to("closed", asha, ravi)["id"]
    assert ravi.get(f"/requests/{request_id}").json["address"] == "12 MG Road"
    with transaction():
        db.session.execute(text(LONG_AGO))
    seen = ravi.get(f"/requests/{request_id}").json
    assert (seen["address"], seen["customer"]) == (None, None)
    assert asha.get(f"/requests/{request_id}").json["address"] == "12 MG Road"


def test_new_request_notifies_nearest_matching_professionals(market: RequestMarket, users: Users) -> None:
    near, far, other = market.professional(), market.professional(pincode="110001"), users.professional()
    market.ask(users.customer())
    assert (notified_kinds(near)[:1], "request_new" in notified_kinds(far), "request_new" in notified_kinds(other)) == (
        ["request_new"],
        False,
        False,
    )


@pytest.mark.parametrize("values", NOT_ALLOWED.values(), ids=NOT_ALLOWED)
def test_task_requests_table_rejects_invalid_rows(
    market: RequestMarket, users: Users, values: dict[str, object]
) -> None:
    market.ask(users.customer())
    with pytest.raises(IntegrityError, match="violates check constraint"), transaction():
        db.session.execute(update(TaskRequest).values(**values))

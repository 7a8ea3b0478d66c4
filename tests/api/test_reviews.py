"""Reviews over HTTP: creation, replies, reports, hiding, and rating totals."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.professionals.models import Professional
from backend.domain.tasks.models import Task
from tests.factories.requests import WHY, RequestMarket, notified_kinds
from tests.factories.users import User, Users


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def ratings(market: RequestMarket, professional: User) -> tuple[Any, Any]:
    """Return the stored rating count and sum of the professional and of the task."""
    of_professional = select(Professional.rating_count, Professional.rating_sum).where(
        Professional.account_id == professional.id
    )
    of_task = select(Task.rating_count, Task.rating_sum).where(Task.id == market.task_id)
    return tuple(db.session.execute(of_professional).one()), tuple(db.session.execute(of_task).one())


def test_review_is_created_once_and_counts_in_ratings(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    path = f"/requests/{market.bring_to('closed', asha, ravi)['id']}"
    answer = asha.post(f"{path}/review", {"rating": 4, "comment": "Quick and clean"})
    assert answer.status_code == 201
    assert (answer.json["rating"], answer.json["comment"], answer.json["reply"]) == (4, "Quick and clean", None)
    again = asha.post(f"{path}/review", {"rating": 5})
    assert (again.status_code, again.json["code"]) == (409, "already_reviewed")
    assert ratings(market, ravi) == ((1, 4), (1, 4))
    assert notified_kinds(ravi)[0] == "request_reviewed"
    seen = asha.get(path).json
    assert seen["review"]["rating"] == 4
    assert seen["history"][-1]["action"] == "review"
    assert "review" not in seen["allowed_actions"]


@pytest.mark.parametrize(
    "body", [{}, {"rating": 0}, {"rating": 6}, {"rating": "5"}, {"rating": 5, "comment": "x" * 2001}]
)
def test_review_with_invalid_fields_is_rejected(market: RequestMarket, users: Users, body: dict[str, Any]) -> None:
    asha, ravi = users.customer(), market.professional()
    path = f"/requests/{market.bring_to('completed', asha, ravi)['id']}"
    assert asha.post(f"{path}/review", body).status_code == 422


def test_review_before_completion_or_after_30_days_is_rejected(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    early = market.bring_to("accepted", asha, ravi)
    refused = asha.post(f"/requests/{early['id']}/review", {"rating": 5})
    assert (refused.status_code, refused.json["code"]) == (409, "invalid_transition")
    done = market.bring_to("closed", asha, ravi, date_of_request="2031-01-01T10:00:00Z")
    with time_machine.travel(now() + timedelta(days=31)):
        asha = users.sign_in(asha.username)
        late = asha.post(f"/requests/{done['id']}/review", {"rating": 5})
        assert (late.status_code, late.json["code"]) == (409, "review_too_late")
        assert "review" not in asha.get(f"/requests/{done['id']}").json["allowed_actions"]


def test_review_reply_by_its_professional_is_accepted_once(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    path = f"/requests/{market.bring_to('closed', asha, ravi)['id']}"
    assert ravi.post(f"{path}/review/reply", {"reply": "Thanks"}).json["code"] == "no_review"
    asha.post(f"{path}/review", {"rating": 5})
    assert sita.post(f"{path}/review/reply", {"reply": "Thanks"}).status_code == 404
    assert ravi.post(f"{path}/review/reply", {"reply": "Thanks"}).json["reply"] == "Thanks"
    again = ravi.post(f"{path}/review/reply", {"reply": "And more"})
    assert (again.status_code, again.json["code"]) == (409, "already_replied")
    assert asha.get(path).json["review"]["reply"] == "Thanks"


def test_review_hidden_by_admin_is_excluded_from_ratings_and_lists(market: RequestMarket, users: Users) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = market.bring_to("closed", asha, ravi)["id"]
    asha.post(f"/requests/{request_id}/review", {"rating": 1, "comment": "Rude words"})
    assert ravi.post(f"/requests/{request_id}/review/report", WHY).json["reported"] is True
    waiting = admin.get("/reviews?reported=1&hidden=0").json["items"]
    assert [(item["request_id"], item["report_reason"]) for item in waiting] == [(request_id, WHY["reason"])]
    assert admin.post(f"/reviews/{request_id}/hide", {"reason": "Abusive"}).json["hidden"] is True
    assert admin.post(f"/reviews/{request_id}/hide", {"reason": "Abusive"}).status_code == 409
    assert ratings(market, ravi) == ((0, 0), (0, 0))
    assert ravi.get(f"/requests/{request_id}").json["review"] is None
    assert ravi.get("/me/reviews").json["items"] == []
    assert asha.get(f"/requests/{request_id}").json["review"]["hidden"] is True
    assert admin.post(f"/reviews/{request_id}/show").json["hidden"] is False
    assert ratings(market, ravi) == ((1, 1), (1, 1))
    assert ravi.get("/me/reviews").json["items"][0]["rating"] == 1
    assert admin.post(f"/reviews/{request_id}/show").status_code == 409


def test_review_report_by_its_professional_is_accepted_once_and_dismissed_by_admin(
    market: RequestMarket, users: Users
) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = market.bring_to("closed", asha, ravi)["id"]
    asha.post(f"/requests/{request_id}/review", {"rating": 1, "comment": "Never came"})
    report = f"/requests/{request_id}/review/report"
    assert [who.post(report, WHY).status_code for who in (market.professional(), asha)] == [404, 403]
    assert ravi.post(report, WHY).status_code == 200
    again = ravi.post(report, WHY)
    assert (again.status_code, again.json["code"]) == (409, "already_reported")
    assert admin.post(f"/reviews/{request_id}/show").status_code == 200
    assert ratings(market, ravi) == ((1, 1), (1, 1)), "a report alone does not take the review out of the ratings"
    shown = admin.post(f"/reviews/{request_id}/show")
    assert (shown.status_code, shown.json["code"]) == (409, "not_hidden")

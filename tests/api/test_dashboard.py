"""Dashboard statistics over HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.api.resources import dashboard as resource
from backend.core.clock import now
from backend.core.db.session import transaction
from backend.domain.dashboard import queries
from tests.factories import closed_requests as made
from tests.factories.jobs import enqueue_empty
from tests.factories.price_lines import decide, propose
from tests.factories.queries import count_queries
from tests.factories.requests import do
from tests.factories.users import User, Users
from tests.factories.visits import Visit

OCTOBER = "/stats?from=2026-10-01&to=2026-10-31"


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


@pytest.fixture(autouse=True)
def always_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off the cache, so that each test computes its own statistics."""
    monkeypatch.setattr(resource, "FRESH_SECONDS", 0)


def stats(admin: User, path: str = "/stats") -> dict[str, Any]:
    answer = admin.get(path)
    assert answer.status_code == 200, answer.json
    body: dict[str, Any] = answer.json
    return body


def test_dashboard_of_empty_marketplace_returns_zeros(admin: User) -> None:
    found = stats(admin)
    assert found["generated_at"]
    assert set(found["requests_by_status"].values()) == {0}
    assert len(found["requests_by_day"]) == 30
    assert found["approvals"] == {
        "waiting": 0,
        "oldest": None,
        "expiring": 0,
        "by_state": dict.fromkeys(queries.APPROVALS, 0),
    }


def test_dashboard_counts_pending_approvals_waiting_requests_and_jobs(admin: User) -> None:
    since = now() - timedelta(days=2)
    made.professional(approval="pending", approval_changed_at=since)
    made.professional(approval_expires_at=now() + timedelta(days=3))
    market = made.market()
    long_ago, soon = now() - timedelta(days=1), now() + timedelta(hours=5)
    made.request(market, status="requested", created_at=long_ago, date_of_request=soon)
    made.request(market, status="requested", created_at=now(), date_of_request=now() + timedelta(days=9))
    made.request(market, status="accepted", created_at=long_ago, date_of_request=long_ago)
    with transaction():
        enqueue_empty("unknown.topic")
    found = stats(admin)
    assert (found["approvals"]["waiting"], found["approvals"]["expiring"]) == (1, 1)
    assert found["approvals"]["oldest"].startswith(since.isoformat()[:19])
    waiting = {name: found["waiting"][name] for name in ("total", "unanswered", "due_soon", "overdue")}
    assert waiting == {"total": 2, "unanswered": 1, "due_soon": 1, "overdue": 1}
    assert found["jobs"]["waiting"] == 1


def test_dashboard_for_date_range_returns_statistics_of_that_range(admin: User) -> None:
    market = made.market()
    made.request(market, price=Decimal("1000.50"))
    made.request(market, price=Decimal(200), at=made.NOON + timedelta(days=1), pincode="110001")
    made.request(market, status="cancelled")
    made.request(market, at=made.NOON - timedelta(days=40))
    found = stats(admin, OCTOBER)
    assert found["requests_by_status"] == dict.fromkeys(queries.STATES, 0) | {"closed": 2, "cancelled": 1}
    assert (found["closed_work"]["total"], found["closed_work"]["value"]) == (2, "1200.50")
    by_day = {row["day"]: row for row in found["closed_work"]["by_day"]}
    assert len(by_day) == 31
    assert by_day["2026-10-15"] == {"day": "2026-10-15", "total": 1, "value": "1000.50"}
    assert found["cancellations"] == {"requests": 3, "cancelled": 1, "expired": 0, "share": 0.3333}
    [task] = found["top_tasks"]
    assert (task["task_id"], task["task_name"], task["total"]) == (market.task_id, "Plumbing", 3)
    assert [(row["pincode"], row["total"]) for row in found["top_pincodes"]] == [("560001", 2), ("110001", 1)]


def test_dashboard_counts_visit_with_code_and_extra_work(admin: User, users: Users) -> None:
    visit = Visit(users, {"start_code": "required"})
    do(visit.ravi, f"{visit.path}/arrive")
    do(visit.ravi, f"{visit.path}/start", {"code": visit.code})
    decide(visit, visit.asha, propose(visit), "approve")
    decide(visit, visit.asha, propose(visit, kind="discount", unit_amount="0.50"), "approve")
    do(visit.asha, f"{visit.path}/close", {"remarks": "Thanks"})
    found = stats(admin)
    visits = {name: value for name, value in found["visits"].items() if value}
    assert visits == {
        **dict.fromkeys(("completed", "started_by_code", "arrived_in_time"), 1),
        "code_share": 1.0,
        "late_after_minutes": 15,
    }
    extra = {"requests": 1, "value": "249.50", "agreed": "499.00", "share": 0.5}
    [task] = found["extra_work"].pop("top_tasks")
    assert found["extra_work"] == extra
    assert {name: task[name] for name in extra} == extra
    assert (found["closed_work"]["value"], found["closed_work"]["top_tasks"][0]["value"]) == ("748.50", "748.50")
    assert admin.get(f"/professionals/{visit.ravi.id}").json["figures"]["value_closed"] == "748.50"


def test_dashboard_groups_by_day_in_marketplace_time_zone(admin: User) -> None:
    market = made.market()
    midnight = made.NOON.replace(hour=18, minute=30)  # midnight of the 16th in India
    made.request(market, created_at=midnight, at=midnight + timedelta(hours=3))
    made.request(market, created_at=midnight - timedelta(seconds=1), at=midnight - timedelta(hours=-3))
    by_day = {row["day"]: row["closed"] for row in stats(admin, OCTOBER)["requests_by_day"]}
    assert (by_day["2026-10-15"], by_day["2026-10-16"]) == (1, 1)


@pytest.mark.parametrize(("first", "step", "bars"), [("2026-05-01", "day", 184), ("2026-04-30", "month", 7)])
def test_dashboard_for_range_over_half_a_year_groups_by_month(admin: User, first: str, step: str, bars: int) -> None:
    found = stats(admin, f"/stats?from={first}&to=2026-10-31")
    assert (found["step"], len(found["requests_by_day"])) == (step, bars)


def test_dashboard_for_range_of_years_groups_by_month(admin: User) -> None:
    made.request(made.market())
    found = stats(admin, "/stats?from=2024-01-15&to=2026-10-31")
    assert (found["step"], len(found["requests_by_day"])) == ("month", 34)
    assert found["requests_by_day"][-1]["closed"] == 1


def test_dashboard_returns_professionals_by_rating_and_account_totals(admin: User, users: Users) -> None:
    made.professional(rating_count=2, rating_sum=9)
    made.professional()
    users.customer()
    found = stats(admin)
    assert [row["professionals"] for row in found["professionals_by_rating"]] == [1, 0, 0, 0, 1, 0]
    assert found["people"]["customers"] == {"total": 1, "blocked": 0, "joined": 1}
    assert found["people"]["professionals"]["total"] == 2


def test_dashboard_statistics_run_at_most_eight_queries(app: Flask) -> None:
    with count_queries() as counted:
        queries.statistics()
    assert 1 <= counted.number <= 8


def test_dashboard_within_cache_time_is_computed_once(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "FRESH_SECONDS", 5)
    path = "/stats?from=2020-01-01&to=2020-01-31"
    first = admin.get(path)
    with count_queries() as counted:
        again = admin.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert not [said for said in counted.statements if "task_requests" in said]
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_dashboard_with_invalid_range_or_other_roles_is_rejected(
    admin: User, client: FlaskClient, users: Users
) -> None:
    assert list(admin.get("/stats?from=2026-10-02&to=2026-10-01").json["errors"]) == ["to"]
    assert list(admin.get("/stats?from=yesterday").json["errors"]) == ["from"]
    assert client.get("/stats").status_code == 401
    assert users.customer().get("/stats").json["code"] == "role_not_allowed"

"""Reports over HTTP: access, month, JSON and HTML."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update

from backend.core.db.session import db, transaction
from backend.core.queue.runs import ABOVE_ALL_IDS
from backend.domain.accounts.models import Account
from backend.domain.reports import actions
from backend.domain.reports.months import Month
from tests.factories import closed_requests as made
from tests.factories.closed_requests import Market
from tests.factories.users import User, Users

OCTOBER = "/reports/2026-10"


@pytest.fixture
def asha(users: Users) -> User:
    return users.customer(firstname="<Asha>")


@pytest.fixture
def market(asha: User) -> Market:
    return Market(asha.id, made.professional(), made.task())


def test_report_of_own_month_counts_requests_and_spending(asha: User, market: Market) -> None:
    made.review(made.request(market, price="1499.50"), created_at=made.NOON)
    report = asha.get(OCTOBER).json
    assert (report["month"], report["unfinished"], report["customer_id"]) == ("2026-10", False, asha.id)
    counted = {name: report[name] for name in ("requested", "accepted", "completed", "closed", "cancelled")}
    assert counted == {"requested": 1, "accepted": 1, "completed": 1, "closed": 1, "cancelled": 0}
    assert (report["spent"], report["currency"]) == ("1499.50", "INR")
    assert (report["professionals_met"], report["reviews_given"], report["upcoming"]) == (1, 1, [])


def test_report_as_html_escapes_user_input(asha: User, market: Market) -> None:
    made.request(market)
    page = asha.get(OCTOBER, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    html = page.get_data(as_text=True)
    assert "October 2026" in html
    assert "₹499.00" in html
    assert "&lt;Asha&gt;" in html
    assert "<Asha>" not in html
    assert "script" not in page.headers["Content-Security-Policy"]
    assert asha.get(OCTOBER, headers={"Accept": "image/png"}).status_code == 406


@time_machine.travel("2026-11-10T00:00:00Z", tick=True)
def test_report_of_current_month_is_unfinished_and_future_one_is_404(users: Users) -> None:
    asha = users.customer()
    assert asha.get("/reports/2026-11").json["unfinished"] is True
    assert asha.get("/reports/2026-12").status_code == 404


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "last", "1999-01", "2026-10-01"])
def test_report_with_invalid_month_returns_404(asha: User, month: str) -> None:
    assert asha.get(f"/reports/{month}").status_code == 404


def test_report_of_another_customer_is_for_admins_only(client: FlaskClient, users: Users, asha: User) -> None:
    other = users.customer()
    admin = users.admin()
    assert client.get(OCTOBER).status_code == 401
    assert other.get(f"{OCTOBER}?customer_id={asha.id}").status_code == 404
    assert asha.get(f"{OCTOBER}?customer_id={asha.id}").json["customer_id"] == asha.id
    assert admin.get(f"{OCTOBER}?customer_id={asha.id}").json["customer_id"] == asha.id
    assert list(admin.get(OCTOBER).json["errors"]) == ["customer_id"]
    assert admin.get(f"{OCTOBER}?customer_id={admin.id}").status_code == 404


def test_report_after_sending_is_unchanged_and_listed_newest_first(asha: User, market: Market) -> None:
    made.request(market)
    with transaction():
        signed_up = datetime(2026, 1, 1, tzinfo=UTC)  # reports go only to accounts that existed in that month
        db.session.execute(update(Account).where(Account.id == asha.id).values(created_at=signed_up))
        actions.send_batch(Month(2026, 10), run_id=1, after=0, until=ABOVE_ALL_IDS)
        actions.send_batch(Month(2026, 9), run_id=1, after=0, until=ABOVE_ALL_IDS)
    made.request(market, at=made.NOON.replace(day=20))
    assert asha.get(OCTOBER).json["closed"] == 1
    assert asha.get(OCTOBER).json["sent_at"]
    listed = asha.get("/reports?limit=1").json
    assert [one["month"] for one in listed["items"]] == ["2026-10"]
    rest = asha.get(f"/reports?limit=1&cursor={listed['next_cursor']}").json
    assert ([one["month"] for one in rest["items"]], rest["next_cursor"]) == (["2026-09"], None)

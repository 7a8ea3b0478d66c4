"""Monthly report runs: one report per customer and month, however often they run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from backend.core.db.session import db, transaction
from backend.core.errors import Invalid
from backend.core.queue import JobRun, runs
from backend.core.security.authz import Role
from backend.domain.accounts.models import Account
from backend.domain.notifications.messages import render
from backend.domain.notifications.models import Preferences
from backend.domain.reports import actions
from backend.domain.reports.models import MonthlyReport
from backend.jobs import reports, schedule, topics
from tests.factories import closed_requests as made
from tests.factories.jobs import deliveries

SEPTEMBER = datetime(2026, 9, 30, tzinfo=UTC)
OCTOBER_ENDS = datetime(2026, 10, 31, 18, 30, tzinfo=UTC)  # midnight in the marketplace's time zone
DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)  # 07:30 on the first in the marketplace's time zone
ROW = next(row for row in schedule.TABLE if row.name == "monthly-reports")


def run(**params: Any) -> JobRun:
    """Start a run as an admin and execute it up to its last batch."""
    with transaction():
        run_id = runs.start(ROW, params=actions.check(params), requested_by=None)
    made.run_jobs(topics.REPORTS.name)
    while made.run_jobs(reports.PART.name):
        pass
    found = db.session.execute(select(JobRun).where(JobRun.id == run_id)).scalar_one()
    db.session.expunge(found)
    return found


def kept() -> list[MonthlyReport]:
    return list(db.session.execute(select(MonthlyReport)).scalars())


@pytest.fixture
def customers(app: Flask) -> list[int]:
    return customers_since(SEPTEMBER, number=3)


def customers_since(signed_up: datetime, *, number: int = 1) -> list[int]:
    """Return customers who signed up at this time."""
    ids = [made.account(Role.CUSTOMER) for _ in range(number)]
    with transaction():
        db.session.execute(update(Account).where(Account.id.in_(ids)).values(created_at=signed_up))
    return ids


def test_report_run_repeated_sends_one_report_per_customer(customers: list[int]) -> None:
    first = run(month="2026-10")
    again = run(month="2026-10")
    assert sorted(one.account_id for one in deliveries()) == customers
    assert {str(one.month) for one in kept()} == {"2026-10-01"}
    assert (first.skipped, again.skipped) == (0, 3)


def test_report_run_in_batches_reaches_every_customer(customers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "BATCH", 2)
    run(month="2026-10")
    assert sorted(one.account_id for one in deliveries()) == customers


def test_report_run_by_schedule_sends_previous_month_once(customers: list[int]) -> None:
    with time_machine.travel(DECEMBER, tick=True):
        for _ in range(3):
            schedule.tick()
            made.run_jobs(topics.REPORTS.name)
            while made.run_jobs(reports.PART.name):
                pass
    assert {str(one.month) for one in kept()} == {"2026-11-01"}
    assert len([one for one in deliveries() if one.kind == actions.KIND]) == len(customers)


def test_report_run_for_one_customer_sends_again(customers: list[int]) -> None:
    run(month="2026-10")
    again = run(month="2026-10", customer_id=customers[1])
    sent = [one.account_id for one in deliveries()]
    assert sent.count(customers[1]) == 2
    assert len(sent) == 4
    assert again.skipped == 0
    assert len(kept()) == 3


def test_report_run_of_current_month_does_not_replace_final_report(customers: list[int]) -> None:
    with time_machine.travel(DECEMBER, tick=True):
        run(month="2026-12", customer_id=customers[0])
        assert kept() == []
        assert "not over yet" in render("report", deliveries()[0].params).title
        run(month="2026-12")
    assert len(deliveries()) == 4
    with time_machine.travel(datetime(2027, 1, 3, tzinfo=UTC), tick=True):
        run(month="2026-12")
    assert len(kept()) == 3
    assert len(deliveries()) == 7


def test_report_run_excludes_customers_who_signed_up_later(customers: list[int]) -> None:
    (just_in_time,) = customers_since(OCTOBER_ENDS - timedelta(seconds=1))
    (too_late,) = customers_since(OCTOBER_ENDS)
    run(month="2026-10")
    assert sorted(one.account_id for one in deliveries()) == [*customers, just_in_time]
    run(month="2026-10", customer_id=too_late)
    assert deliveries()[-1].account_id == too_late, "a run for a named customer ignores the sign-up date"


def test_report_run_skips_customers_who_unsubscribed(customers: list[int]) -> None:
    with transaction():
        db.session.add(Preferences(account_id=customers[0], channels=["mail"], kinds={actions.KIND: []}))
    done = run(month="2026-10")
    assert done.skipped == 1
    assert sorted(one.account_id for one in deliveries()) == customers[1:]
    assert len(kept()) == 3  # readable in the app anyway


@pytest.mark.parametrize(
    ("params", "field"),
    [({"month": "2026-13"}, "month"), ({"month": "2099-01"}, "month"), ({"customer_id": 999}, "customer_id")],
)
def test_report_run_with_invalid_parameters_names_the_field(app: Flask, params: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.check(params)
    assert list(refused.value.errors or {}) == [field]

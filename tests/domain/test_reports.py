"""A month's statistics against a simple computation; months at their boundaries."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from backend.core.clock import now
from backend.core.security.authz import Role
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import COUNTED, MonthlyStatistics, compute
from backend.domain.task_requests.models import TaskRequest
from tests.factories import closed_requests as made

KOLKATA = ZoneInfo("Asia/Kolkata")
OCTOBER = Month(2026, 10)
STATES = ("requested", "accepted", "completed", "closed", "cancelled", "expired")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A request and when it was reviewed."""

    request: TaskRequest
    reviewed_at: datetime | None


def expected_statistics(customer_id: int, month: Month, all_of_them: Iterable[Reviewed]) -> dict[str, object]:
    """Return the statistics computed in Python from all requests."""

    def within(moment: datetime | None) -> bool:
        return moment is not None and Month.of(moment, KOLKATA) == month

    mine = [one for one in all_of_them if one.request.customer_id == customer_id]
    ahead = [
        one.request
        for one in mine
        if one.request.status in ("requested", "accepted") and one.request.date_of_request >= now()
    ]
    closed = [one.request for one in mine if within(one.request.closed_at)]
    return {
        "requested": sum(within(one.request.created_at) for one in mine),
        "accepted": sum(within(one.request.accepted_at) for one in mine),
        "completed": sum(within(one.request.completed_at) for one in mine),
        "closed": len(closed),
        "cancelled": sum(within(one.request.cancelled_at) for one in mine),
        "professionals_met": len({one.request.professional_id for one in mine if within(one.request.completed_at)}),
        "reviews_given": sum(within(one.reviewed_at) for one in mine),
        "upcoming_count": len(ahead),
        "spent": sum((request.price for request in closed), Decimal(0)),
        "upcoming": [request.id for request in sorted(ahead, key=lambda one: (one.date_of_request, one.id))][:10],
    }


@pytest.mark.parametrize("seed", range(4))
def test_report_statistics_match_simple_count(app: Flask, seed: int) -> None:
    dice = random.Random(seed)
    customers = [made.account(Role.CUSTOMER) for _ in range(4)]
    professionals = [made.professional() for _ in range(3)]
    task = made.task()
    everything = [_random_request(dice, customers[:3], professionals, task) for _ in range(60)]
    figures = compute(OCTOBER, customers)
    assert set(figures) == set(customers)
    for customer_id, found in figures.items():
        counted = {name: getattr(found, name) for name in (*COUNTED, "spent")}
        shown = [one.id for one in found.upcoming]
        assert {**counted, "upcoming": shown} == expected_statistics(customer_id, OCTOBER, everything)
        assert MonthlyStatistics.from_json(found.as_json()) == found


def _random_request(dice: random.Random, customers: list[int], professionals: list[int], task: int) -> Reviewed:
    starts, ends = (datetime(2026, month, 30, 18, 30, tzinfo=UTC) for month in (9, 10))
    edges = [starts, starts - timedelta(microseconds=1), ends, ends - timedelta(microseconds=1)]
    status = dice.choice(STATES)
    at = dice.choice([*edges, starts + timedelta(minutes=dice.randrange(-40_000, 80_000))])
    changes: dict[str, Any] = {"price": Decimal(dice.randrange(100, 99_999)) / 100}
    if status in ("requested", "accepted") and dice.random() < 0.7:
        changes["date_of_request"] = now() + timedelta(minutes=dice.randrange(-90, 90_000))
    market = made.Market(dice.choice(customers), _free(dice, professionals, status), task)
    request = made.request(market, status=status, at=at, **changes)
    reviewed_at = None
    if status in ("completed", "closed") and dice.random() < 0.6:
        reviewed_at = at + timedelta(minutes=dice.randrange(0, 20_000))
        made.review(request, dice.randrange(1, 6), created_at=reviewed_at)
    return Reviewed(request, reviewed_at)


def _free(dice: random.Random, professionals: list[int], status: str) -> int:
    """Return a new professional for an accepted request, as those of one professional may not overlap."""
    return made.professional() if status == "accepted" else dice.choice(professionals)


def test_month_of_time_uses_marketplace_time_zone() -> None:
    last_evening = datetime(2026, 10, 31, 18, 29, tzinfo=UTC)
    assert Month.of(last_evening, KOLKATA) == OCTOBER
    assert Month.of(last_evening + timedelta(minutes=1), KOLKATA) == Month(2026, 11)


def test_month_with_clock_change_is_an_hour_longer() -> None:
    span = OCTOBER.dates(ZoneInfo("Europe/Berlin"))
    assert span.starts is not None
    assert span.ends is not None
    assert span.ends - span.starts == timedelta(days=31, hours=1)


def test_month_next_and_previous_cross_the_year() -> None:
    assert Month(2026, 12).next == Month(2027, 1)
    assert Month(2027, 1).previous == Month(2026, 12)


def test_month_parse_accepts_only_one_format() -> None:
    assert Month.parse("2026-10") == OCTOBER
    arabic = "\N{ARABIC-INDIC DIGIT TWO}026-10"
    assert {Month.parse(written) for written in ("2026-13", "26-10", "2026-1", arabic)} == {None}

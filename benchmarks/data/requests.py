"""Requests of three years in every state, their reviews and last changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

YEARS: Final = timedelta(days=3 * 365)
AHEAD: Final = timedelta(days=21)
REQUEST_COLUMNS: Final = (
    "id",
    "task_id",
    "task_name",
    "customer_id",
    "professional_id",
    "status",
    "date_of_request",
    "price",
    "currency",
    "time_required",
    "address",
    "pincode",
    "remarks",
    "closing_remarks",
    "busy",
    "created_at",
    "updated_at",
    "accepted_at",
    "completed_at",
    "closed_at",
    "cancelled_at",
    "expired_at",
    "reviewed_at",
    "version",
)
REVIEW_COLUMNS: Final = ("request_id", "customer_id", "professional_id", "task_id", "rating", "comment", "created_at")
EVENT_COLUMNS: Final = ("request_id", "at", "action", "actor_id", "actor_role", "from_status", "to_status")


@dataclass(frozen=True, slots=True)
class Market:
    """What requests are made of."""

    today: datetime
    customers: list[tuple[int, str]]
    doers: dict[int, list[int]]
    tasks: list[tuple[int, str, int, int]]
    dice: Random

    def moment(self) -> datetime:
        """Rather lately than long ago."""
        return self.today - YEARS * (self.dice.random() ** 2)


class Requests:
    """Makes requests in order; remembers what reviews and histories are made of."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.reviews: list[tuple[object, ...]] = []
        self.events: list[tuple[object, ...]] = []
        self._busy: set[int] = set()

    def rows(self, number: int, *, events_of_last: int) -> Iterator[tuple[object, ...]]:
        """Rows of the table of requests."""
        for request_id in range(1, number + 1):
            row, event = self._one(request_id)
            if request_id > number - events_of_last:
                self.events += event
            yield row

    def _one(self, request_id: int) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
        market, dice = self.market, self.market.dice
        customer_id, pincode = market.customers[int(dice.random() * len(market.customers))]
        task_id, task_name, price, minutes = market.tasks[int(dice.random() ** 1.5 * len(market.tasks))]
        doers = market.doers.get(task_id) or [0]
        professional_id: int | None = doers[int(dice.random() * len(doers))]
        fate, date = dice.random(), market.moment()
        created = date - timedelta(hours=1 + dice.random() * 96)
        times = dict.fromkeys(("accepted", "completed", "closed", "cancelled", "expired", "reviewed"))
        busy = None
        if fate < 0.03 or not professional_id:
            status, professional_id = "requested", None
            date = market.today + AHEAD * dice.random()
            created = market.today - timedelta(hours=dice.random() * 96)
        elif fate < 0.05 and professional_id not in self._busy:
            self._busy.add(professional_id)
            status, date = "accepted", market.today + AHEAD * dice.random()
            created = market.today - timedelta(hours=2 + dice.random() * 96)
            busy = f"[{date},{date + timedelta(minutes=minutes)})"
        elif fate < 0.82:
            status = "closed" if fate < 0.79 else "completed"
        else:
            status, professional_id = ("cancelled" if fate < 0.93 else "expired"), None
        _set_times(times, status, created=created, date=date, minutes=minutes)
        if status in ("closed", "completed") and dice.random() < 0.3:
            times["reviewed"] = times["completed"]
            self._review(request_id, customer_id, professional_id, task_id, times["completed"])
        events = _history(request_id, customer_id, professional_id, created, times, status)
        text = ("12 MG Road", pincode, "Please call first", "Done" if status == "closed" else "", busy)
        money = (f"{price}.00", "INR", minutes)
        head = (request_id, task_id, task_name, customer_id, professional_id, status, date, *money, *text)
        return (*head, created, created, *times.values(), 1), events

    def _review(self, request_id: int, customer_id: int, professional_id: int | None, task_id: int, at: Any) -> None:
        rating = self.market.dice.choices((1, 2, 3, 4, 5), (3, 4, 10, 33, 50))[0]
        self.reviews.append((request_id, customer_id, professional_id, task_id, rating, "Good work", at))


def _set_times(times: dict[str, Any], status: str, *, created: datetime, date: datetime, minutes: int) -> None:
    if status in ("accepted", "completed", "closed"):
        times["accepted"] = created + (date - created) / 3
    if status in ("completed", "closed"):
        times["completed"] = date + timedelta(minutes=minutes)
    if status == "closed":
        times["closed"] = date + timedelta(minutes=minutes * 2)
    if status == "cancelled":
        times["cancelled"] = created + (date - created) / 2
    if status == "expired":
        times["expired"] = date


def _history(
    request_id: int, customer_id: int, professional_id: int | None, created: datetime, times: dict[str, Any], status: str
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [(request_id, created, "create", customer_id, "customer", None, "requested")]
    steps = (("accept", "accepted"), ("complete", "completed"), ("close", "closed"))
    before = "requested"
    for action, after in steps:
        if times[after] is not None:
            rows.append((request_id, times[after], action, professional_id, "professional", before, after))
            before = after
    if status == "cancelled":
        rows.append((request_id, times["cancelled"], "cancel", customer_id, "customer", before, status))
    if status == "expired":
        rows.append((request_id, times["expired"], "expire", None, "market", before, status))
    return rows

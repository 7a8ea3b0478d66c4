"""The demo's requests, created through the regular actions at times in the past months."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from backend.cli.demo import texts
from backend.cli.demo.accounts import City, DemoAccount
from backend.core.clock import frozen_at
from backend.domain.reviews import actions as reviews
from backend.domain.task_requests import actions, bulk
from backend.domain.task_requests.actions import NewRequest

DAYS_BACK: Final = 90
REQUESTS_A_CITY: Final = 42
ENDS: Final = (
    *("closed",) * 30,
    *("completed",) * 4,
    *("accepted",) * 7,
    *("requested",) * 7,
    *("asked",) * 2,
    *("cancelled",) * 6,
    *("expired",) * 4,
)
RATINGS: Final = (5,) * 11 + (4,) * 6 + (3,) * 2 + (2, 1)


class Lives:
    """Creates requests and their later steps."""

    def __init__(self, *, dice: random.Random, now: datetime, zone: ZoneInfo) -> None:
        self._dice = dice
        self._now = now
        self._zone = zone
        self._taken: set[tuple[int, date]] = set()
        self.made: Counter[str] = Counter()

    def of_city(self, city: City, tasks: tuple[int, ...]) -> None:
        """Create all requests of one city."""
        for number in range(REQUESTS_A_CITY):
            task_id = self._dice.choice([one for one in tasks if city.able(one)])
            self._live(city, task_id, end=ENDS[number * 7 % len(ENDS)])

    def _live(self, city: City, task_id: int, *, end: str) -> None:
        customer, worker = self._dice.choice(city.customers), self._dice.choice(city.able(task_id))
        is_upcoming = end in ("accepted", "requested", "asked")
        made_at, wanted = self._upcoming() if is_upcoming else self._past()
        while (worker.actor.account_id, wanted.date()) in self._taken:  # one request a day, so that none overlap
            wanted += timedelta(days=1 if is_upcoming else -1)
            made_at += timedelta(days=0 if is_upcoming else -1)
        self._taken.add((worker.actor.account_id, wanted.date()))
        asked = worker.actor.account_id if end == "asked" else None
        new = NewRequest(
            task_id=task_id,
            date_of_request=wanted,
            remarks=self._dice.choice(texts.REMARKS),
            pincode=self._dice.choice(city.pincodes) if self._dice.random() < 0.2 else None,
            professional_id=asked,
        )
        with frozen_at(made_at):
            request_id = actions.create(customer.actor, new=new).request.id
        follow: dict[str, Callable[[int, DemoAccount, DemoAccount, datetime, datetime], None]] = {
            "closed": self._closed,
            "completed": self._completed,
            "accepted": self._accepted,
            "cancelled": self._cancelled,
            "expired": self._expired,
        }
        if end in follow:
            follow[end](request_id, customer, worker, made_at, wanted)
        elif end == "requested" and self._dice.random() < 0.3:
            self._turned_down(request_id, worker, made_at)
        self.made["requested" if end == "asked" else end] += 1

    def _accepted(
        self, request_id: int, _: DemoAccount, worker: DemoAccount, made_at: datetime, wanted: datetime
    ) -> None:
        response_time = min(self._hours(1, 10), (wanted - made_at) / 3, (self._now - made_at) / 3)
        with frozen_at(made_at + response_time):
            actions.accept(worker.actor, request_id=request_id)
        if self._dice.random() < 0.08:
            with frozen_at(made_at + response_time * 1.2):
                actions.release(worker.actor, request_id=request_id, reason=self._dice.choice(texts.RELEASES))
            with frozen_at(made_at + response_time * 1.5):
                actions.accept(worker.actor, request_id=request_id)

    def _completed(
        self, request_id: int, customer: DemoAccount, worker: DemoAccount, made_at: datetime, wanted: datetime
    ) -> None:
        self._accepted(request_id, customer, worker, made_at, wanted)
        with frozen_at(wanted + self._hours(1, 3)):
            actions.complete(worker.actor, request_id=request_id)

    def _closed(
        self, request_id: int, customer: DemoAccount, worker: DemoAccount, made_at: datetime, wanted: datetime
    ) -> None:
        self._completed(request_id, customer, worker, made_at, wanted)
        closer = customer if self._dice.random() < 0.7 else worker
        with frozen_at(wanted + self._hours(4, 16)):
            actions.close(closer.actor, request_id=request_id, remarks=self._dice.choice(texts.CLOSING) or None)
        if self._dice.random() < 0.75:
            self._reviewed(request_id, customer, worker, wanted + self._hours(17, 30))

    def _reviewed(self, request_id: int, customer: DemoAccount, worker: DemoAccount, at: datetime) -> None:
        rating = self._dice.choice(RATINGS)
        comment = self._dice.choice(texts.COMMENTS[rating]) if self._dice.random() < 0.8 else None
        with frozen_at(at):
            reviews.give(customer.actor, request_id=request_id, rating=rating, comment=comment)
        if comment and self._dice.random() < 0.3:
            with frozen_at(at + self._hours(1, 5)):
                reviews.reply(worker.actor, request_id=request_id, text=self._dice.choice(texts.REPLIES))

    def _cancelled(
        self, request_id: int, customer: DemoAccount, worker: DemoAccount, made_at: datetime, wanted: datetime
    ) -> None:
        if self._dice.random() < 0.5:
            self._accepted(request_id, customer, worker, made_at, wanted)
        with frozen_at(made_at + (wanted - made_at) * self._dice.uniform(0.6, 0.95)):
            actions.cancel(customer.actor, request_id=request_id, reason=self._dice.choice(texts.CANCELLATIONS))

    def _expired(
        self, request_id: int, _: DemoAccount, worker: DemoAccount, made_at: datetime, wanted: datetime
    ) -> None:
        self._turned_down(request_id, worker, made_at)
        with frozen_at(wanted + timedelta(minutes=1)):
            while bulk.expire_due() >= 500:
                pass

    def _turned_down(self, request_id: int, worker: DemoAccount, made_at: datetime) -> None:
        with frozen_at(made_at + self._hours(0, 1)):
            actions.reject(worker.actor, request_id=request_id, reason=self._dice.choice(texts.REJECTIONS))

    def _past(self) -> tuple[datetime, datetime]:
        made_at = self._now - timedelta(days=self._dice.randrange(8, DAYS_BACK), minutes=self._dice.randrange(600))
        return made_at, self._working_hour(made_at + timedelta(days=self._dice.randrange(2, 6)))

    def _upcoming(self) -> tuple[datetime, datetime]:
        made_at = self._now - timedelta(hours=self._dice.randrange(2, 70))
        return made_at, self._working_hour(self._now + timedelta(days=self._dice.randrange(1, 12)))

    def _working_hour(self, day: datetime) -> datetime:
        """Return a full working hour of that day in the marketplace's time zone."""
        there = day.astimezone(self._zone)
        return there.replace(hour=self._dice.randrange(9, 17), minute=0, second=0, microsecond=0)

    def _hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=self._dice.uniform(least, most))

"""The demo's requests, created through the regular actions at times in the past months."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from backend.cli.demo import texts
from backend.cli.demo.accounts import City, DemoAccount
from backend.cli.demo.visits import Visit, Visits, accept
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
UPCOMING: Final = ("accepted", "requested", "asked")
RATINGS: Final = (5,) * 11 + (4,) * 6 + (3,) * 2 + (2, 1)


class Lives:
    """Creates requests and their later steps."""

    def __init__(
        self,
        *,
        dice: random.Random,
        now: datetime,
        zone: ZoneInfo,
        quoted: Mapping[int, Decimal],
        listed: Collection[int],
    ) -> None:
        """``quoted``: tasks priced by offer, with what they start at; ``listed``: those with a checklist."""
        self._dice = dice
        self._now = now
        self._zone = zone
        self._quoted = quoted
        self._listed = listed
        self._visits = Visits(dice)
        self._taken: set[tuple[int, date]] = set()
        self.made: Counter[str] = Counter()

    def of_city(self, city: City, tasks: tuple[int, ...]) -> None:
        """Create all requests of one city."""
        for number in range(REQUESTS_A_CITY):
            task_id = self._dice.choice([one for one in tasks if city.able(one)])
            self._live(city, task_id, end=ENDS[number * 7 % len(ENDS)])

    def show(self, city: City, tasks: tuple[int, ...], *, is_reported: bool) -> None:
        """Create what every city has, for its first customer: a request with offers, a visit now, and a whole visit.

        ``is_reported``: the conversation about the visit is reported.
        """
        customer = city.customers[0]
        quoted = max((one for one in tasks if one in self._quoted), key=lambda one: len(city.able(one)), default=None)
        if quoted is not None and (able := city.able(quoted)):
            waiting = self._ask(customer, able[0], quoted, *self._upcoming())
            self._offer(city, waiting, at=waiting.made_at + (self._now - waiting.made_at) * 0.6)
            self.made["requested"] += 1
        fixed = [(one, city.able(one)) for one in tasks if one not in self._quoted and city.able(one)]
        task_id, able = fixed[0]
        soon = self._now + timedelta(minutes=20)
        now = self._ask(customer, able[0], task_id, self._now - timedelta(days=1), soon, is_fixed=True)
        self._visits.show_problem(now, at=now.made_at)
        accept(now, at=now.made_at + timedelta(hours=1))
        self._visits.talk(now, at=now.made_at + timedelta(hours=2), exchanges=3)
        if is_reported:
            self._visits.report(now, at=self._now - timedelta(hours=6))
        self._visits.propose(now, at=self._now - timedelta(minutes=17))
        self._visits.set_off(now, at=self._now - timedelta(minutes=15))
        self.made["accepted"] += 1
        task_id, able = next((one for one in fixed if one[0] in self._listed), fixed[-1])
        whole = self._ask(customer, able[-1], task_id, *self._past())
        self._visits.show_problem(whole, at=whole.made_at)
        self._closed(city, whole, is_whole=True)
        self.made["closed"] += 1

    def _live(self, city: City, task_id: int, *, end: str) -> None:
        customer, worker = self._dice.choice(city.customers), self._dice.choice(city.able(task_id))
        made_at, wanted = self._upcoming() if end in UPCOMING else self._past()
        place = self._dice.choice(city.pincodes) if self._dice.random() < 0.2 else None
        visit = self._ask(customer, worker, task_id, made_at, wanted, pincode=place, is_asked=end == "asked")
        if self._dice.random() < 0.2:
            self._visits.show_problem(visit, at=visit.made_at)
        follow: dict[str, Callable[[City, Visit], None]] = {
            "closed": self._closed,
            "completed": self._completed,
            "accepted": self._accepted,
            "cancelled": self._cancelled,
            "expired": self._expired,
        }
        if end in follow:
            follow[end](city, visit)
        elif visit.task_id in self._quoted:
            self._offer(city, visit, at=visit.made_at + (self._now - visit.made_at) * 0.6)
        elif end == "requested" and self._dice.random() < 0.3:
            self._turned_down(visit)
        self.made["requested" if end == "asked" else end] += 1

    def _ask(
        self,
        customer: DemoAccount,
        worker: DemoAccount,
        task_id: int,
        made_at: datetime,
        wanted: datetime,
        *,
        pincode: str | None = None,
        is_asked: bool = False,
        is_fixed: bool = False,
    ) -> Visit:
        """Create a request, on a day on which the worker has no other one: so none overlap."""
        is_upcoming = wanted > self._now
        while not is_fixed and (worker.actor.account_id, wanted.date()) in self._taken:
            wanted += timedelta(days=1 if is_upcoming else -1)
            made_at += timedelta(days=0 if is_upcoming else -1)
        self._taken.add((worker.actor.account_id, wanted.date()))
        new = NewRequest(
            task_id=task_id,
            date_of_request=wanted,
            remarks=self._dice.choice(texts.REMARKS),
            pincode=pincode,
            professional_id=worker.actor.account_id if is_asked else None,
        )
        with frozen_at(made_at):
            request_id = actions.create(customer.actor, new=new).request.id
        return Visit(request_id, task_id, customer, worker, made_at, wanted)

    def _offer(self, city: City, visit: Visit, *, at: datetime) -> int:
        others = [one for one in city.able(visit.task_id) if one is not visit.worker]
        return self._visits.make_offers(visit, others, price=self._quoted[visit.task_id], at=at)

    def _accepted(self, city: City, visit: Visit) -> None:
        made_at, wanted = visit.made_at, visit.wanted
        response_time = min(self._hours(1, 10), (wanted - made_at) / 3, (self._now - made_at) / 3)
        accepted_at = made_at + response_time
        if visit.task_id in self._quoted:
            offer_id = self._offer(city, visit, at=made_at + response_time * 0.7)
            accept(visit, at=accepted_at, offer_id=offer_id)
        else:
            accept(visit, at=accepted_at)
            if self._dice.random() < 0.08:
                with frozen_at(made_at + response_time * 1.2):
                    reason = self._dice.choice(texts.RELEASES)
                    actions.release(visit.worker.actor, request_id=visit.request_id, reason=reason)
                accepted_at = made_at + response_time * 1.5
                accept(visit, at=accepted_at)
        if self._dice.random() < 0.4:
            self._visits.talk(visit, at=accepted_at + timedelta(minutes=1), exchanges=1)

    def _completed(self, city: City, visit: Visit, *, is_whole: bool = False) -> None:
        self._accepted(city, visit)
        self._visits.take(visit, is_whole=is_whole)
        with frozen_at(visit.wanted + self._hours(1, 3)):
            actions.complete(visit.worker.actor, request_id=visit.request_id)

    def _closed(self, city: City, visit: Visit, *, is_whole: bool = False) -> None:
        self._completed(city, visit, is_whole=is_whole)
        closer = visit.customer if self._dice.random() < 0.7 else visit.worker
        with frozen_at(visit.wanted + self._hours(4, 16)):
            remarks = self._dice.choice(texts.CLOSING) or None
            actions.close(closer.actor, request_id=visit.request_id, remarks=remarks)
        if is_whole or self._dice.random() < 0.75:
            rating = 5 if is_whole else self._dice.choice(RATINGS)
            self._reviewed(visit, rating=rating, at=visit.wanted + self._hours(17, 30))

    def _reviewed(self, visit: Visit, *, rating: int, at: datetime) -> None:
        comment = self._dice.choice(texts.COMMENTS[rating]) if self._dice.random() < 0.8 else None
        with frozen_at(at):
            reviews.give(visit.customer.actor, request_id=visit.request_id, rating=rating, comment=comment)
        if comment and self._dice.random() < 0.3:
            with frozen_at(at + self._hours(1, 5)):
                answer = self._dice.choice(texts.REPLIES)
                reviews.reply(visit.worker.actor, request_id=visit.request_id, text=answer)

    def _cancelled(self, city: City, visit: Visit) -> None:
        if self._dice.random() < 0.5:
            self._accepted(city, visit)
        with frozen_at(visit.made_at + (visit.wanted - visit.made_at) * self._dice.uniform(0.6, 0.95)):
            reason = self._dice.choice(texts.CANCELLATIONS)
            actions.cancel(visit.customer.actor, request_id=visit.request_id, reason=reason)

    def _expired(self, _: City, visit: Visit) -> None:
        self._turned_down(visit)
        with frozen_at(visit.wanted + timedelta(minutes=1)):
            while bulk.expire_due() >= 500:
                pass

    def _turned_down(self, visit: Visit) -> None:
        with frozen_at(visit.made_at + self._hours(0, 1)):
            reason = self._dice.choice(texts.REJECTIONS)
            actions.reject(visit.worker.actor, request_id=visit.request_id, reason=reason)

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

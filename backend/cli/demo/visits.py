"""The demo's visits: offers, conversations, photos, steps at the door, checklists and extra work."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from backend.cli.demo import texts
from backend.cli.demo.accounts import DemoAccount
from backend.cli.demo.scenes import scene
from backend.core.clock import frozen_at
from backend.domain.checklists import actions as checklists
from backend.domain.checklists import queries as points
from backend.domain.conversations import actions as conversations
from backend.domain.documents.inspection import InspectedPicture
from backend.domain.offers import actions as offers
from backend.domain.photos import actions as photos
from backend.domain.photos import files
from backend.domain.photos.access import Phase
from backend.domain.price_lines import actions as price_lines
from backend.domain.price_lines.actions import NewLine
from backend.domain.price_lines.amounts import Kind
from backend.domain.task_requests import actions
from backend.domain.visits import actions as steps
from backend.domain.visits import start_codes

VARIETY: Final = 6  # pictures of one kind; drawing each of hundreds again would take most of the demo's time
MINUTE: Final = timedelta(minutes=1)


class Visit(NamedTuple):
    """A request of the demo, and both sides of it."""

    request_id: int
    task_id: int
    customer: DemoAccount
    worker: DemoAccount
    made_at: datetime
    wanted: datetime


class Visits:
    """Leads accepted requests through their visit."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._pictures: dict[tuple[str, int], InspectedPicture] = {}

    def show_problem(self, visit: Visit, *, at: datetime) -> None:
        """Add photos of the problem, as the customer does when asking."""
        self._photo(visit, Phase.PROBLEM, at=at)

    def make_offers(self, visit: Visit, others: list[DemoAccount], *, price: Decimal, at: datetime) -> int:
        """Make the worker's offer and up to two of others; return the worker's."""
        for place, other in enumerate(others[:2]):
            with frozen_at(at - (place + 1) * 5 * MINUTE):
                self._offer(visit.request_id, other, price=price)
        with frozen_at(at):
            return self._offer(visit.request_id, visit.worker, price=price)

    def _offer(self, request_id: int, worker: DemoAccount, *, price: Decimal) -> int:
        amount = (price * self._dice.randrange(85, 140) / 100).quantize(Decimal(10))
        note = self._dice.choice(texts.OFFER_NOTES)
        return offers.make(worker.actor, request_id=request_id, amount=amount, note=note).id

    def talk(self, visit: Visit, *, at: datetime, exchanges: int = 2) -> None:
        """Write messages of both sides, the customer first."""
        for question, answer in self._dice.sample(texts.TALKS, exchanges):
            with frozen_at(at):
                conversations.write(visit.customer.actor, request_id=visit.request_id, body=question)
            with frozen_at(at + 7 * MINUTE):
                read = conversations.write(visit.worker.actor, request_id=visit.request_id, body=answer)
            with frozen_at(at + 9 * MINUTE):
                conversations.mark_read(visit.customer.actor, request_id=visit.request_id, up_to=read.id)
            at += 30 * MINUTE

    def report(self, visit: Visit, *, at: datetime) -> None:
        """Report the conversation, so that admins may read it."""
        with frozen_at(at):
            conversations.report(visit.customer.actor, request_id=visit.request_id, reason=texts.REPORTED)

    def set_off(self, visit: Visit, *, at: datetime) -> None:
        """Tell the customer that the worker is on the way."""
        with frozen_at(at):
            steps.set_off(visit.worker.actor, request_id=visit.request_id, eta_minutes=25)

    def take(self, visit: Visit, *, is_whole: bool = False) -> None:
        """Take the steps of the visit up to the completion, which is not before an hour after the requested time.

        ``is_whole``: with every part of a visit; else chance leaves some out.
        """

        def chance(share: float) -> bool:
            return is_whole or self._dice.random() < share

        if chance(0.85):
            self.set_off(visit, at=visit.wanted - 25 * MINUTE)
            self._arrive_and_start(visit, by_code=is_whole, late_minutes=self._dice.choice((-6, -2, 1, 4, 8, 12, 24)))
        if chance(0.3):
            self._photo(visit, Phase.BEFORE, at=visit.wanted + 35 * MINUTE)
        if chance(0.35):
            self._add_extra_work(visit, is_approved=chance(0.8))
        if chance(0.3):
            self._photo(visit, Phase.AFTER, at=visit.wanted + 55 * MINUTE)
        self._tick(visit, at=visit.wanted + 56 * MINUTE)

    def _arrive_and_start(self, visit: Visit, *, by_code: bool, late_minutes: int) -> None:
        arrived_at = visit.wanted + late_minutes * MINUTE
        with frozen_at(arrived_at):
            arrived = steps.arrive(visit.worker.actor, request_id=visit.request_id).request
        code = start_codes.shown_to_customer(arrived)
        with frozen_at(arrived_at + 4 * MINUTE):
            if code is not None and (by_code or self._dice.random() < 0.7):
                steps.start(visit.worker.actor, request_id=visit.request_id, code=code)
            elif code is not None or self._dice.random() < 0.4:
                steps.start(visit.customer.actor, request_id=visit.request_id)
            else:
                steps.start(visit.worker.actor, request_id=visit.request_id)

    def propose(self, visit: Visit, *, at: datetime) -> int:
        """Propose a price line; return its id."""
        kind, title, amount = self._dice.choice(texts.EXTRA_WORK)
        line = NewLine(Kind(kind), title, Decimal(1), Decimal(amount))
        with frozen_at(at):
            return price_lines.propose(visit.worker.actor, request_id=visit.request_id, new=line).id

    def _add_extra_work(self, visit: Visit, *, is_approved: bool) -> None:
        at = visit.wanted + 38 * MINUTE
        line_id = self.propose(visit, at=at)
        decide = price_lines.approve if is_approved else price_lines.decline
        with frozen_at(at + 3 * MINUTE):
            decide(visit.customer.actor, request_id=visit.request_id, line_id=line_id)

    def _tick(self, visit: Visit, *, at: datetime) -> None:
        """Tick every point of the checklist, with a photo where one is needed."""
        for point in points.of_request(visit.worker.actor, request_id=visit.request_id):
            if point.needs_photo:
                self._photo(visit, Phase.AFTER, at=at, point=point.number)
            with frozen_at(at):
                checklists.tick(visit.worker.actor, request_id=visit.request_id, number=point.number, done=True)

    def _photo(self, visit: Visit, phase: Phase, *, at: datetime, point: int | None = None) -> None:
        key = (phase.value, self._dice.randrange(VARIETY))
        if key not in self._pictures:
            self._pictures[key] = scene(self._dice, is_mended=phase is Phase.AFTER)
        author = visit.customer if phase is Phase.PROBLEM else visit.worker
        with frozen_at(at):
            stored = files.store(self._pictures[key])
            photos.add(author.actor, request_id=visit.request_id, phase=phase, stored=stored, point=point)


def accept(visit: Visit, *, at: datetime, offer_id: int | None = None) -> None:
    """Accept the request, or have its customer accept the offer."""
    with frozen_at(at):
        if offer_id is None:
            actions.accept(visit.worker.actor, request_id=visit.request_id)
        else:
            offers.accept(visit.customer.actor, request_id=visit.request_id, offer_id=offer_id)

"""The demo's accounts: customers, and professionals with documents in every state of approval."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend.cli.demo import texts
from backend.cli.demo.certificates import certificate
from backend.cli.demo.portraits import portrait
from backend.core.clock import frozen_at
from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.actions import NewAccount
from backend.domain.accounts.actions import sign_up as sign_up_customer
from backend.domain.documents import actions as documents
from backend.domain.documents import photos
from backend.domain.documents.actions import Stored
from backend.domain.documents.inspection import Inspected
from backend.domain.notifications import preferences
from backend.domain.notifications.preferences import Choice
from backend.domain.places.models import Place
from backend.domain.professionals import actions as professionals
from backend.domain.profiles import actions as profiles
from backend.domain.profiles import photos as profile_photos

CUSTOMERS_A_CITY: Final = 18
PROFESSIONALS_A_CITY: Final = 12
STATES: Final = ("approved",) * 9 + ("pending", "rejected", "document_missing")
MAIL_DOMAIN: Final = "demo.example"  # reserved (RFC 2606): emails to it reach nobody


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demo."""

    actor: Actor
    username: str
    name: str
    pincode: str
    since: datetime
    tasks: tuple[int, ...] = ()
    state: str = ""


@dataclass(slots=True)
class City:
    """The accounts of one city and their pincodes."""

    pincodes: Sequence[str]
    customers: list[DemoAccount] = field(default_factory=list)
    professionals: list[DemoAccount] = field(default_factory=list)

    def able(self, task_id: int) -> list[DemoAccount]:
        """Return the professionals who can accept a request for the task."""
        return [one for one in self.professionals if one.state == "approved" and task_id in one.tasks]


class Casting:
    """Signs accounts up at times in the past months."""

    def __init__(self, *, dice: random.Random, now: datetime, admin: Actor, password: str) -> None:
        self._dice = dice
        self._now = now
        self._admin = admin
        self._password = password
        self._taken: set[str] = set()

    def city(self, digits: str, tasks: Sequence[tuple[int, str]]) -> City:
        """Create all accounts of a city. They have no channels besides the app, so that no email is sent."""
        found = City(_pincodes(digits))
        for _ in range(CUSTOMERS_A_CITY):
            found.customers.append(self._customer(found))
        for number in range(PROFESSIONALS_A_CITY):
            found.professionals.append(self._professional(found, tasks, state=STATES[number % len(STATES)]))
        return found

    def _customer(self, city: City) -> DemoAccount:
        since = self._now - timedelta(days=self._dice.randrange(95, 200), minutes=self._dice.randrange(1440))
        new = self._new_account(city)
        with frozen_at(since):
            account = sign_up_customer(new, role=Role.CUSTOMER)
        preferences.put(account.id, Choice(channels=()))
        name = f"{new.firstname} {new.lastname}"
        return DemoAccount(Actor(account.id, Role.CUSTOMER), new.username, name, new.pincode, since)

    def _professional(self, city: City, tasks: Sequence[tuple[int, str]], *, state: str) -> DemoAccount:
        new = self._new_account(city)
        recent = state in ("pending", "document_missing")
        days = self._dice.randrange(1, 9) if recent else self._dice.randrange(100, 300)
        since = self._now - timedelta(days=days, minutes=self._dice.randrange(1440))
        chosen = self._dice.sample(list(tasks), self._dice.randrange(3, 7))
        company = self._dice.choice(texts.COMPANIES).format(first=new.firstname, last=new.lastname)
        trade = professionals.NewProfile(
            exp=self._dice.randrange(1, 25), compname=company, task_ids=[task_id for task_id, _ in chosen]
        )
        kind = "PDF" if state == "pending" else "PNG"
        paper = None if state == "document_missing" else _paper(new, trade, chosen[0][1], kind=kind)
        with frozen_at(since):
            account = professionals.sign_up(new, trade=trade, document=paper)
        preferences.put(account.id, Choice(channels=()))
        self._decide(account.id, state=state, at=since + timedelta(hours=self._dice.randrange(2, 20)))
        name = f"{new.firstname} {new.lastname}"
        actor = Actor(account.id, Role.PROFESSIONAL, is_active=state == "approved")
        self._present(actor, trade, chosen[0][1], at=since + timedelta(hours=30))
        return DemoAccount(actor, new.username, name, new.pincode, since, tuple(trade.task_ids), state)

    def _decide(self, professional_id: int, *, state: str, at: datetime) -> None:
        with frozen_at(at):
            if state == "approved":
                ends = self._now + timedelta(days=20) if self._dice.random() < 0.08 else None
                professionals.approve(self._admin, professional_id=professional_id, expires_at=ends)
            elif state == "rejected":
                reason = "The certificate is not readable. Please upload a sharper picture."
                professionals.reject(self._admin, professional_id=professional_id, reason=reason)

    def _present(self, actor: Actor, trade: professionals.NewProfile, task: str, *, at: datetime) -> None:
        """Write the text of most public profiles, and add photos to some; a few still await a decision."""
        if at >= self._now:
            return
        with frozen_at(at):
            if self._dice.random() < 0.85:
                about = self._dice.choice(texts.ABOUTS).format(years=trade.exp, task=task.lower())
                profiles.edit(actor, about=about)
            if self._dice.random() < 0.7:
                profiles.submit_photo(actor, photo=photos.store(portrait(self._dice)))
        awaiting = next((one for one in profile_photos.of_account(actor.account_id) if one.state == "pending"), None)
        if awaiting is not None and self._dice.random() < 0.9:
            with frozen_at(at + timedelta(hours=3)):
                profiles.approve_photo(self._admin, photo_id=awaiting.id)

    def _new_account(self, city: City) -> NewAccount:
        while True:
            first, last = self._dice.choice(texts.FIRST_NAMES), self._dice.choice(texts.LAST_NAMES)
            username = f"demo.{first}.{last}".lower()
            if username not in self._taken and len(username) <= 30:
                break
        self._taken.add(username)
        return NewAccount(
            username=username,
            email=f"{username.removeprefix('demo.')}@{MAIL_DOMAIN}",
            password=self._password,
            firstname=first,
            lastname=last,
            address=f"{self._dice.randrange(1, 200)} {self._dice.choice(texts.STREETS)}",
            pincode=self._dice.choice(city.pincodes),
            phone=f"+9198{self._dice.randrange(10**8):08}",
        )


def _pincodes(digits: str) -> Sequence[str]:
    """Return some pincodes of a city that have coordinates."""
    of_the_city = select(Place.pincode).where(Place.pincode.startswith(digits), Place.latitude.is_not(None))
    return db.session.execute(of_the_city.order_by(Place.pincode).limit(25)).scalars().all()


def _paper(new: NewAccount, trade: professionals.NewProfile, task: str, *, kind: str) -> Stored:
    """Store a certificate. It was generated here, so it is not inspected."""
    name = f"{new.firstname} {new.lastname}"
    data = certificate(name=name, company=trade.compname, trade=task, years=trade.exp, kind=kind)
    content_type = {"PDF": "application/pdf", "PNG": "image/png"}[kind]
    return documents.store(Inspected(data, content_type, 1), filename=f"certificate.{kind.lower()}")

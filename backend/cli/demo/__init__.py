"""`flask demo`: adds sample data through the same actions that users have."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import click
from flask.cli import with_appcontext
from sqlalchemy import select, text

from backend.cli.demo import texts
from backend.cli.demo.accounts import Casting, City
from backend.cli.demo.requests import Lives
from backend.core.clock import frozen_at, now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.core.text import key
from backend.domain.accounts.models import Account
from backend.domain.checklists import actions as checklists
from backend.domain.exports import actions as exports
from backend.domain.moderation import actions as moderation
from backend.domain.notifications import create as notifications
from backend.domain.notifications import preferences
from backend.domain.notifications.preferences import Choice
from backend.domain.reports import actions as reports
from backend.domain.reports import months
from backend.domain.reports.months import Month
from backend.domain.task_requests import policies
from backend.domain.task_requests.models import TaskChecklist
from backend.domain.tasks import actions as tasks
from backend.domain.tasks.models import Task

SEED: Final = 2026
PASSWORD: Final = "saffron kettle forty two"  # noqa: S105 - public on purpose; never used in production
LOCK: Final = 7_310_544_203  # any number unique to this command; concurrent runs create one demo


@dataclass(slots=True)
class Demo:
    """What was created, and the accounts to sign in with."""

    password: str
    cities: list[City] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)


def fill(*, seed: int = SEED) -> Demo | None:
    """Create the demo in the current transaction. Returns None if it already exists."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if db.session.execute(select(Account.id).where(Account.username_key.startswith("demo.")).limit(1)).first():
        return None
    dice, at = random.Random(seed), now()  # noqa: S311 - sample data, not used for security
    demo = Demo(secrets.token_urlsafe(12) if current_settings().is_production else PASSWORD)
    admin = _admin()
    offered = _tasks(admin, since=at - timedelta(days=300))
    casting = Casting(dice=dice, now=at, admin=admin, password=demo.password)
    chosen = tuple(task_id for task_id, _ in offered)
    quoted, listed = _special(chosen)
    lives = Lives(dice=dice, now=at, zone=current_settings().zone, quoted=quoted, listed=listed)
    for digits in texts.CITIES:
        city = casting.city(digits, offered)
        lives.of_city(city, chosen)
        lives.show(city, chosen, is_reported=digits == texts.CITIES[-1])
        demo.cities.append(city)
    demo.requests = dict(lives.made)
    _afterwards(demo, admin, at)
    return demo


def _admin() -> Actor:
    first = select(Account.id).where(Account.role == Role.ADMIN.value, Account.blocked_at.is_(None))
    found = db.session.execute(first.order_by(Account.id).limit(1)).scalar_one_or_none()
    if found is None:
        raise click.ClickException("There is no admin yet. Start the product once with make run.")
    return Actor(found, Role.ADMIN)


def _tasks(admin: Actor, *, since: datetime) -> list[tuple[int, str]]:
    """Return the demo's tasks, creating those whose name does not exist yet."""
    there = dict(
        db.session.execute(select(Task.name_key, Task.id).where(Task.archived_at.is_(None), Task.isactive)).all()
    )
    found = []
    for offer in texts.OFFERS:
        task_id = there.get(key(offer.name))
        if task_id is None:
            new = tasks.NewTask(
                name=offer.name,
                description=offer.about,
                category=offer.category,
                base_price=Decimal(offer.price),
                time_required=offer.minutes,
                picture=offer.picture,
                search_words=offer.words,
                pricing="quote" if offer.name in texts.QUOTED else "fixed",
            )
            with frozen_at(since):
                task_id = tasks.create(admin, new=new).id
                _set_up(admin, task_id, offer)
        found.append((task_id, offer.name))
    return found


def _special(task_ids: Sequence[int]) -> tuple[dict[int, Decimal], set[int]]:
    """Return the tasks priced by offer with what they start at, and those with a checklist."""
    quoted = select(Task.id, Task.base_price).where(Task.id.in_(task_ids), Task.pricing == "quote")
    listed = select(TaskChecklist.task_id).where(TaskChecklist.task_id.in_(task_ids))
    return {row.id: row.base_price for row in db.session.execute(quoted)}, set(db.session.execute(listed).scalars())


def _set_up(admin: Actor, task_id: int, offer: texts.Offer) -> None:
    """Give a new task a start code and a checklist, by its category."""
    if offer.category in texts.WITH_CODE:
        policies.change(admin, task_id=task_id, values={"start_code": "offered"})
    if offer.category in texts.CHECKLISTS:
        listed = [checklists.Point(about, photo) for about, photo in texts.CHECKLISTS[offer.category]]
        checklists.change(admin, task_id=task_id, points=listed, required=offer.category == "Cleaning")


def _afterwards(demo: Demo, admin: Actor, at: datetime) -> None:
    """Add blocks, past reports, read notifications and an export, so that every page has content."""
    last = demo.cities[-1]
    rude = next(one for one in reversed(last.professionals) if one.state == "approved")
    with frozen_at(at):  # sample data sends no emails
        moderation.block(
            admin, account_id=last.customers[-1].actor.account_id, reason="fraud", note="Paid with a stolen card."
        )
        moderation.block(
            admin, account_id=rude.actor.account_id, reason="poor_reviews", note="Three complaints in a month."
        )
    _report(months.running().previous, demo)
    everyone = [one for city in demo.cities for one in (*city.customers, *city.professionals)]
    for number, account in enumerate(everyone):
        if number % 3:
            with frozen_at(at - timedelta(days=1)):
                notifications.mark_read(account.actor.account_id, ids=None)
        if not current_settings().mail_server:  # emails are then written to files and sent to nobody
            preferences.put(account.actor.account_id, Choice())
    exports.ask(admin)


def _report(month: Month, demo: Demo) -> None:
    sent_at = month.dates(current_settings().zone).ends
    if sent_at is None:
        raise ValueError("a month ends")
    with frozen_at(sent_at + timedelta(hours=7)):
        for city in demo.cities:
            for customer in city.customers:
                reports.send_to_one(month, run_id=0, customer_id=customer.actor.account_id)


@click.command("demo")
@with_appcontext
def command() -> None:
    """Add sample data: accounts in eight cities, requests in every state, visits, offers, reviews, documents."""
    click.echo("Adding sample data; this takes less than a minute ...")
    with transaction():
        demo = fill()
    if demo is None:
        click.echo("The demo already exists; nothing was added. Its usernames start with demo.")
        return
    _print_summary(demo)


def _print_summary(demo: Demo) -> None:
    everyone = [one for city in demo.cities for one in (*city.customers, *city.professionals)]
    click.echo(f"{len(everyone)} accounts in {len(demo.cities)} cities, {sum(demo.requests.values())} requests:")
    click.echo("  " + ", ".join(f"{number} {state}" for state, number in sorted(demo.requests.items())))
    first = demo.cities[0]
    pending = next(one for one in first.professionals if one.state == "pending")
    rows = (
        ("customer", first.customers[0].username),
        ("professional", first.professionals[0].username),
        ("professional awaiting approval", pending.username),
    )
    click.echo(
        f"Sign in at {current_settings().public_url}/app/sign-in. The password of all demo accounts: {demo.password}"
    )
    for what, username in rows:
        click.echo(f"  {username:<32} {what}")
    click.echo("The admin account is unchanged.")

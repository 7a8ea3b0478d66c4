"""The first start: places and first admin."""

import secrets
from dataclasses import dataclass

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import select, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.security.authz import SYSTEM, Role
from backend.domain.accounts.actions import NewAccount, record_change, sign_up
from backend.domain.accounts.models import Account
from backend.domain.accounts.sign_in import TEMPORARY_LIFETIME
from backend.domain.places import loading
from backend.domain.professionals import availability

LOCK = 7_310_544_201  # any number unique to this step; concurrent first starts create one admin


@dataclass(frozen=True, slots=True)
class BootstrapResult:
    """What was created. ``admin_password`` is set only if it was generated and must be shown once."""

    admin_username: str | None
    admin_password: str | None
    places_loaded: int


def run(app: Flask) -> BootstrapResult:
    """Load the places and create the first admin, each if missing. Safe to repeat, also concurrently."""
    with app.app_context(), transaction():
        # Places are processed between two statements, which may take longer than the limit for idle transactions.
        db.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        db.session.execute(text("SET LOCAL statement_timeout = 0"))
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        loaded = loading.load()
        if loaded:
            availability.rebuild()  # existing counts are based on the previous locations
        first = select(Account.username).where(Account.role == Role.ADMIN.value).order_by(Account.id).limit(1)
        if there := db.session.execute(first).scalar_one_or_none():
            return BootstrapResult(there, None, loaded)
        username, invented = _first_admin()
        return BootstrapResult(username, invented, loaded)


def _first_admin() -> tuple[str, str | None]:
    settings = current_settings()
    invented = None if settings.admin_password else secrets.token_urlsafe(12)
    account = sign_up(
        NewAccount(
            username=settings.admin_username,
            email=settings.admin_email,
            password=settings.admin_password or str(invented),
            firstname="Market",
            lastname="Admin",
            address="-",
            pincode="560001",
        ),
        role=Role.ADMIN,
    )
    if invented is not None:
        account.password_expires_at = now() + TEMPORARY_LIFETIME
    record_change(SYSTEM, account, "admin_created", after={"username": account.username})
    return account.username, invented


@click.command("bootstrap")
@with_appcontext
def command() -> None:
    """Load the places and create the first admin, as `make run` does after the migrations."""
    result = run(current_app)
    click.echo(
        f"admin: {result.admin_username}" + (f"  password: {result.admin_password}" if result.admin_password else "")
    )

"""`flask admins`: create admins, reset their passwords, list them."""

import secrets
from collections.abc import Mapping

import click
from flask.cli import AppGroup
from marshmallow import ValidationError
from sqlalchemy import select

from backend.api.schemas.accounts import CustomerSignUp
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.errors import DomainError
from backend.core.security.authz import SYSTEM, Role
from backend.domain.accounts import queries, sign_in
from backend.domain.accounts.actions import NewAccount
from backend.domain.accounts.models import Account
from backend.domain.moderation.actions import add_admin

command = AppGroup("admins", help="Create admins, reset their passwords, list them.")


@command.command("create")
@click.option("--username", required=True)
@click.option("--email", required=True)
@click.option("--password", help="Default: a password is generated and printed once.")
@click.option("--firstname", default="Market", show_default=True)
@click.option("--lastname", default="Admin", show_default=True)
@click.option("--address", default="-", show_default=True)
@click.option("--pincode", default="560001", show_default=True)
@click.option("--phone")
def create(password: str | None, **fields: str | None) -> None:
    """Create another admin."""
    chosen = password or _invented()
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        new = NewAccount(**CustomerSignUp().load({**given, "password": chosen}))
        with transaction():
            account = add_admin(SYSTEM, new=new)
            if password is None:
                account.password_expires_at = now() + sign_in.TEMPORARY_LIFETIME
    except ValidationError as error:
        raise click.ClickException(_lines(error.normalized_messages())) from error
    except DomainError as error:
        raise click.ClickException(_lines(error.errors or {"error": [error.detail]})) from error
    click.echo(f"Created admin {account.username} (id {account.id})." + _shown(password, chosen))


@command.command("reset-password")
@click.argument("username")
@click.option("--password", help="Default: a password is generated and printed once.")
def reset_password(username: str, password: str | None) -> None:
    """Reset an admin's password and end all their sessions."""
    chosen = password or _invented()
    account = queries.by_login(username)
    if account is None or account.role != Role.ADMIN:
        raise click.ClickException(f"Admin {username} not found. List all with: flask admins list")
    try:
        checked = CustomerSignUp(only=["password"]).load({"password": chosen})
        with transaction():
            sign_in.issue_password(SYSTEM, account.id, checked["password"], is_shown=password is None)
    except ValidationError as error:
        raise click.ClickException(_lines(error.normalized_messages())) from error
    except DomainError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"Password of {account.username} reset; all sessions ended." + _shown(password, chosen))


@command.command("list")
def list_all() -> None:
    """List all admins, oldest first."""
    admins = db.session.execute(select(Account).where(Account.role == Role.ADMIN.value).order_by(Account.id)).scalars()
    for admin in admins:
        seen = f"last seen {admin.last_seen_at:%Y-%m-%d %H:%M} UTC" if admin.last_seen_at else "never seen"
        click.echo(
            f"{admin.id}\t{admin.username}\t{admin.email}\t{'blocked' if admin.blocked_at else 'active'}\t{seen}"
        )


def _invented() -> str:
    return secrets.token_urlsafe(12)


def _shown(given: str | None, chosen: str) -> str:
    if given:
        return ""
    return f" Temporary password (shown only once): {chosen}\nSign in within 72 hours and change it."


def _lines(messages: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{name}: {' '.join(str(line) for line in lines)}" for name, lines in messages.items())

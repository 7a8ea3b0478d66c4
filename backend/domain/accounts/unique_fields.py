"""Usernames and emails belong to one account each: the words for it, and writing what the database decides."""

from collections.abc import Mapping
from typing import Final

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError

from backend.core.database import db
from backend.core.errors import Invalid

USERNAME: Final = "That username is taken. Choose another."
EMAIL: Final = "That email belongs to another account. Sign in to it, or use another email."
TAKEN: Final = {"uq_accounts_username_key": ("username", USERNAME), "uq_accounts_email_key": ("email", EMAIL)}
CODES: Final = {
    "username": "username_taken",
    "email": "email_taken",
    "pincode": "unknown_pincode",
    "password": "password_well_known",
}


def flush() -> None:
    """Write pending accounts; unique constraints decide who was first. Raises Invalid for the one who was not."""
    try:
        db.session.flush()
    except IntegrityError as error:
        constraint = error.orig.diag.constraint_name if isinstance(error.orig, UniqueViolation) else None
        if constraint not in TAKEN:
            raise
        field, message = TAKEN[constraint]
        raise refusal({field: [message]}) from error


def refusal(wrong: Mapping[str, list[str]]) -> Invalid:
    """Return the error that names these fields; the code is a field's own when it is the only one."""
    field = next(iter(wrong))
    return Invalid(f"{field}: {wrong[field][0]}", code=CODES.get(field) if len(wrong) == 1 else None, errors=wrong)

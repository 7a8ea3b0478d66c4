"""The actor of a call, a job or a command, as business rules see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    CUSTOMER = "customer"
    PROFESSIONAL = "professional"
    ADMIN = "admin"
    SYSTEM = "market"  # the system: housekeeping and the command line


@dataclass(frozen=True, slots=True)
class Actor:
    """An account that acts. ``id`` is None for the system; ``address`` is the client's network address.

    ``visit_is_due`` means that this visit must be recorded, which happens only every few minutes. ``proven_at`` is
    when this session last confirmed the password. ``must_change_password`` is set while the account has a generated
    password. ``language`` is the account's own.
    """

    id: int | None
    role: Role
    is_active: bool = True
    address: str | None = None
    session_id: str | None = None
    visit_is_due: bool = False
    proven_at: datetime | None = None
    must_change_password: bool = False
    language: str = "en"

    @property
    def account_id(self) -> int:
        """Return the id of the acting account. Raises ValueError for the system, which has no account."""
        if self.id is None:
            raise ValueError("the system has no account")
        return self.id


SYSTEM: Final = Actor(id=None, role=Role.SYSTEM)

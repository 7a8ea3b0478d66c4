"""Who acts: the account behind a call, a job or a command, as the rules see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    CUSTOMER = "customer"
    PROFESSIONAL = "professional"
    ADMIN = "admin"
    SYSTEM = "market"  # the system itself: housekeeping and the command line


@dataclass(frozen=True, slots=True)
class Actor:
    """An account that acts. ``id`` is None for the market itself; ``address`` is the caller's network address.

    ``visit_is_due``: this visit has to be written down, as it is only once in a while. ``proven_at``: when this
    session last proved the password. ``must_change_password``: the account still has the password it was issued.
    """

    id: int | None
    role: Role
    is_active: bool = True
    address: str | None = None
    session_id: str | None = None
    visit_is_due: bool = False
    proven_at: datetime | None = None
    must_change_password: bool = False

    @property
    def account_id(self) -> int:
        """The id of the person who acts. Raises ValueError for the market itself, which is nobody."""
        if self.id is None:
            raise ValueError("the market itself has no account")
        return self.id


SYSTEM: Final = Actor(id=None, role=Role.SYSTEM)

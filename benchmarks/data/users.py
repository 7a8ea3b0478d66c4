"""Customers and professionals, more of them where more people live."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

FIRST: Final = ("Asha", "Ravi", "Meera", "Arjun", "Fatima", "Kabir", "Lakshmi", "Imran", "Divya", "Joseph", "Anita", "Vikram")
LAST: Final = ("Rao", "Sharma", "Khan", "Iyer", "Das", "Patel", "Singh", "Nair", "Bose", "Fernandes", "Gowda", "Reddy")
BIG: Final = {
    "Mumbai": 30,
    "Mumbai Suburban": 30,
    "Bengaluru Urban": 40,
    "Hyderabad": 30,
    "Chennai": 30,
    "Kolkata": 25,
    "Pune": 20,
    "Ahmedabad": 18,
    "Jaipur": 12,
    "Lucknow": 12,
    "Surat": 12,
    "Gurugram": 15,
}
RADII: Final = (5, 10, 15, 25, 50, 200)
RADIUS_WEIGHTS: Final = (120, 700, 100, 50, 25, 5)
APPROVALS: Final = ("approved", "pending", "rejected", "document_missing")


class Place(NamedTuple):
    """A pincode, and where it lies."""

    pincode: str
    district: str
    state: str


class Places:
    """Chooses places as people live."""

    def __init__(self, rows: list[Place], dice: Random) -> None:
        self._dice = dice
        self._rows = rows
        self._weights = list(accumulate(BIG.get(p.district, 25 if p.state == "Delhi" else 1) for p in rows))
        self._neighbours: dict[tuple[str, str], list[str]] = defaultdict(list)
        for place in rows:
            self._neighbours[place.state, place.district].append(place.pincode)

    def some(self, number: int) -> list[Place]:
        """So many places, with repetition."""
        return self._dice.choices(self._rows, cum_weights=self._weights, k=number)

    def near(self, place: Place, number: int) -> set[str]:
        """Pincodes of the same district."""
        here = self._neighbours[place.state, place.district]
        return set(self._dice.sample(here, min(number, len(here))))


ACCOUNT_COLUMNS: Final = (
    "id",
    "role",
    "username",
    "username_key",
    "email",
    "email_key",
    "password_hash",
    "firstname",
    "lastname",
    "address",
    "pincode",
    "created_at",
    "last_seen_at",
    "blocked_at",
    "blocked_reason",
)


def accounts(
    first_id: int, role: str, homes: list[Place], *, password_hash: str, today: datetime, dice: Random
) -> Iterator[tuple[object, ...]]:
    """Rows of the table of accounts."""
    for account_id, home in enumerate(homes, first_id):
        name = f"{role}{account_id}"
        mail = f"{name}@example.org"
        created = today - timedelta(days=dice.uniform(1, 1095))
        seen = today - timedelta(days=dice.expovariate(0.2)) if dice.random() < 0.9 else None
        blocked = (today, "other") if dice.random() < 0.01 and role != "admin" else (None, None)
        names = (dice.choice(FIRST), dice.choice(LAST))
        address = f"{dice.randrange(1, 300)} MG Road"
        yield account_id, role, name, name, mail, mail, password_hash, *names, address, home.pincode, created, seen, *blocked


class Trade(NamedTuple):
    """What a professional does and where."""

    account_id: int
    home: Place
    approval: str
    radius_km: int
    task_ids: list[int]
    listed: set[str]


def trades(
    first_id: int, homes: list[Place], *, tasks_of: dict[str, list[int]], places: Places, dice: Random
) -> list[Trade]:
    """Each does one to eight tasks of one or two categories; some list pincodes besides."""
    categories = sorted(tasks_of)
    weights = list(accumulate(1 / (position + 2) for position in range(len(categories))))
    found = []
    for account_id, home in enumerate(homes, first_id):
        chosen = dice.choices(categories, cum_weights=weights, k=dice.choice((1, 1, 2)))
        known = sorted({task_id for category in chosen for task_id in tasks_of[category]})
        task_ids = dice.sample(known, min(len(known), dice.choice((2, 3, 4, 5, 6, 8))))
        listed = places.near(home, dice.randrange(1, 6)) if dice.random() < 0.1 else set()
        radius = dice.choices(RADII, RADIUS_WEIGHTS)[0]
        approval = dice.choices(APPROVALS, (90, 5, 3, 2))[0]
        found.append(Trade(account_id, home, approval, radius, task_ids, listed))
    return found

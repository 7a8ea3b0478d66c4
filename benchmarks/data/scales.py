"""How large the two markets are."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of rows of one market."""

    name: str
    professionals: int
    customers: int
    requests: int
    tasks: int
    notifications: int
    audit_entries: int


SMALL: Final = Scale("small", 1_000, 1_000, 10_000, 300, 5_000, 2_000)
LARGE: Final = Scale("large", 100_000, 50_000, 2_000_000, 300, 500_000, 200_000)
SCALES: Final = {scale.name: scale for scale in (SMALL, LARGE)}

"""How large the markets are."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of rows of one market. The last tenth of its requests has a history; the other records follow from these."""

    name: str
    professionals: int
    customers: int
    requests: int
    tasks: int
    notifications: int
    audit_entries: int


def _times(name: str, factor: int) -> Scale:
    return Scale(name, 100_000 * factor, 50_000 * factor, 2_000_000 * factor, 300, 500_000 * factor, 200_000 * factor)


SMALL: Final = Scale("small", 1_000, 1_000, 10_000, 300, 5_000, 2_000)
LARGE: Final = _times("large", 1)
LARGER: Final = _times("larger", 3)
HUGE: Final = _times("huge", 10)
SCALES: Final = {scale.name: scale for scale in (SMALL, LARGE, LARGER, HUGE)}

"""What price lines amount to: exact decimals, rounded half up to two places."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

CENT: Final = Decimal("0.01")
MOST: Final = Decimal(10_000_000)
EVERY: Final = Decimal(100)


class Kind(StrEnum):
    EXTRA = "extra"
    MATERIAL = "material"
    DISCOUNT = "discount"


def amount_of(kind: Kind, *, quantity: Decimal, unit_amount: Decimal) -> Decimal:
    """Return what a line adds to the total; negative for a discount."""
    amount = (quantity * unit_amount).quantize(CENT, ROUND_HALF_UP)
    return -amount if kind is Kind.DISCOUNT else amount


def is_above_cap(price: Decimal, lines_amount: Decimal, *, cap_percent: int) -> bool:
    """Return whether lines add more than the cap in percent of the agreed price. A cap of 0 is none."""
    return cap_percent > 0 and lines_amount * EVERY > price * cap_percent

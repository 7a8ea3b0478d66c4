"""The typed row of price lines."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, cast

from sqlalchemy import Table

from backend.domain.price_lines.models import PriceLine


class Line(NamedTuple):
    """A price line as rules and responses read it."""

    id: int
    request_id: int
    professional_id: int
    kind: str
    title: str
    reason: str | None
    quantity: Decimal
    unit_amount: Decimal
    amount: Decimal
    state: str
    proposed_at: datetime
    decided_at: datetime | None
    by_code: bool
    withdrawn_at: datetime | None


TABLE: Final = cast("Table", PriceLine.__table__)
COLUMNS: Final = [TABLE.c[name] for name in Line._fields]

"""Keyset pagination: a signed cursor holds the last row's sort values, so page 10,000 costs as much as page 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import orjson
from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode
from sqlalchemy import BigInteger, ColumnElement, Select, UnaryExpression, and_, bindparam, or_
from sqlalchemy.orm import InstrumentedAttribute

from backend.core.errors import Invalid
from backend.core.security import signing

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
PURPOSE: Final = "cursors"
SortKey = tuple[ColumnElement[Any] | InstrumentedAttribute[Any], bool]  # a column, and whether it is descending
AnySelect = Select[*tuple[Any, ...]]  # a select whose columns are typed by the row made of them
CursorValue = datetime | Decimal | str | int | float | None
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Window:
    """The requested page: how many rows, and after which cursor."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list and the cursor of the next (None on the last page)."""

    items: list[Row]
    next_cursor: str | None


def encode_cursor(scope: str, values: Sequence[CursorValue]) -> str:
    """Return a signed cursor for a list; ``scope`` names list and sort order."""
    body = base64_encode(orjson.dumps([_encode(value) for value in values]))
    return b".".join((body, signing.signer(PURPOSE).get_signature(_signed(scope, body)))).decode()


def decode_cursor(scope: str, cursor: str, *, length: int) -> list[CursorValue]:
    """Return the sort values in a cursor. Raises Invalid for a forged cursor or one of another list."""
    try:
        body, _, signature = cursor.encode().partition(b".")
        if not signing.signer(PURPOSE).verify_signature(_signed(scope, body), signature):
            raise ValueError("signature")
        values = [_decode(value) for value in orjson.loads(base64_decode(body))]
        if len(values) != length:
            raise ValueError("length")
    except (ValueError, TypeError, BadData) as error:
        raise Invalid.field("cursor", "Invalid cursor. Omit it to start from the first page.") from error
    return values


def paged(statement: AnySelect, keys: Sequence[SortKey], *, goes_on: bool) -> AnySelect:
    """Return the statement for any page of a list in this order; :func:`position` returns its parameters.

    ``goes_on``: the page starts after a cursor.
    """
    if goes_on:
        marks = [bindparam(f"after_{place}", type_=key.type) for place, (key, _) in enumerate(keys)]
        statement = statement.where(after(keys, marks))
    return statement.order_by(*order(keys)).limit(bindparam("rows", type_=BigInteger))


def position(window: Window, scope: str, *, length: int) -> dict[str, CursorValue]:
    """Return the parameters of :func:`paged` for a window. Raises Invalid for a cursor of another list."""
    values = decode_cursor(scope, window.cursor, length=length) if window.cursor else []
    return {"rows": window.limit + 1} | {f"after_{place}": value for place, value in enumerate(values)}


def after(keys: Sequence[SortKey], values: Sequence[object]) -> ColumnElement[bool]:
    """Return the condition for rows after these values, for mixed directions. The last key must be unique."""
    branches = []
    for position, (column, downward) in enumerate(keys):
        equal = [keys[i][0] == values[i] for i in range(position)]
        beyond = column < values[position] if downward else column > values[position]
        branches.append(and_(*equal, beyond))
    bound = keys[0][0] <= values[0] if keys[0][1] else keys[0][0] >= values[0]
    return and_(bound, or_(*branches))  # the bound allows an index on the first key


def order(keys: Sequence[SortKey]) -> list[UnaryExpression[object]]:
    """Return the ORDER BY expressions."""
    return [column.desc() if downward else column.asc() for column, downward in keys]


def cut(
    rows: Sequence[Row], *, window: Window, scope: str, values: Callable[[Row], Sequence[CursorValue]]
) -> Page[Row]:
    """Return a page from up to ``limit + 1`` rows; the extra row only shows that there are more."""
    items = list(rows[: window.limit])
    more = len(rows) > window.limit
    return Page(items, encode_cursor(scope, values(items[-1])) if more else None)


def _signed(scope: str, body: bytes) -> bytes:
    return scope.encode() + b":" + body


def _encode(value: CursorValue) -> object:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, Decimal):
        return {"d": str(value)}
    return value


def _decode(value: dict[str, str] | str | float | None) -> CursorValue:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else Decimal(value["d"])
    return value

"""The rows of an export as CSV, streamed from the database by COPY."""

import re
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from psycopg import Connection, Cursor, sql

from backend.core.db.date_range import DateRange

# A spreadsheet runs a cell that begins with one of these (the last four are full-width forms): a quote stands before.
FORMULA_STARTS: Final = "\t\r\n=+-@|%＝＋－＠"  # noqa: RUF001 - the full-width forms are meant
# Where lists are separated by semicolons, a spreadsheet begins a new cell after each of these, within quotes or not.
# Of all columns only texts contain them. The database would need a fifth more time to look for them in each text than
# Python needs for a piece of many rows. The line end of a row is one too, but an id follows it, never a formula.
CELL_ENDS: Final = b";\t\r\n"
FORMULA_WITHIN_TEXT: Final = re.compile(
    rb"([%b]\s*)(%b)" % (CELL_ENDS, b"|".join(re.escape(sign.encode()) for sign in FORMULA_STARTS.strip()))
)
ORDER: Final = " ORDER BY r.closed_at, r.id"
COUNTED_UP_TO: Final = 100_000
PLAIN, TEXT, MOMENT = "{value}", "escaped text", "moment"
COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("request_id", "r.id", PLAIN),
    ("task_id", "r.task_id", PLAIN),
    ("task_name", "r.task_name", TEXT),
    ("customer_id", "r.customer_id", PLAIN),
    ("professional_id", "r.professional_id", PLAIN),
    ("date_of_request", "r.date_of_request", MOMENT),
    ("accepted_at", "r.accepted_at", MOMENT),
    ("completed_at", "r.completed_at", MOMENT),
    ("closed_at", "r.closed_at", MOMENT),
    ("remarks", "r.remarks", TEXT),
    ("closing_remarks", "r.closing_remarks", TEXT),
    ("price", "r.price", PLAIN),
    ("rating", "v.rating", PLAIN),
)
ESCAPED: Final = "CASE WHEN ascii({value}) IN ({starts}) THEN '''' || {value} ELSE {value} END"
ISO_8601: Final = "replace({value}::text, ' ', 'T') || ':00'"  # in UTC, as the API writes it; to_char is far slower
PIECE_ROWS: Final = 256  # more at once, and memory is no longer warm: twice the time


class Position(NamedTuple):
    """A place in the order of an export: the request that was written last."""

    closed_at: datetime
    request_id: int


class Between(NamedTuple):
    """The requests after one position, up to another; None: from the first, to the last."""

    after: Position | None = None
    until: Position | None = None


EVERYTHING: Final = Between()


def export_query(
    *, professional_id: int | None, span: DateRange, between: Between = EVERYTHING, escaped: bool = True
) -> sql.Composed:
    """Return the query of an export, oldest rows first. Benchmarks use ``escaped=False`` to measure escaping."""
    columns = [_column(name, value, kind if escaped or kind != TEXT else PLAIN) for name, value, kind in COLUMNS]
    return sql.SQL("SELECT {} FROM task_requests r LEFT JOIN reviews v ON v.request_id = r.id WHERE {}{}").format(
        sql.SQL(", ").join(columns),
        _condition(professional_id, span, between),
        sql.SQL(ORDER),
    )


def position_after(
    connection: Connection[Any], *, professional_id: int | None, span: DateRange, after: Position | None, rows: int
) -> Position | None:
    """Return where the next part of so many rows ends; None if fewer are left."""
    query = sql.SQL("SELECT r.closed_at, r.id FROM task_requests r WHERE {}{} OFFSET {} LIMIT 1").format(
        _condition(professional_id, span, Between(after)), sql.SQL(ORDER), sql.Literal(rows - 1)
    )
    found = connection.execute(query).fetchone()
    return None if found is None else Position(*found)


def expected(connection: Connection[Any], *, professional_id: int | None, span: DateRange) -> int:
    """Return how many rows there will be, for the progress: counted, or the planner's estimate if they are many."""
    condition = _condition(professional_id, span)
    plan = connection.execute(sql.SQL("EXPLAIN (FORMAT json) SELECT FROM task_requests r WHERE {}").format(condition))
    estimate = int(_first(plan)[0]["Plan"]["Plan Rows"])
    if estimate > COUNTED_UP_TO:
        return estimate
    return int(_first(connection.execute(sql.SQL("SELECT count(*) FROM task_requests r WHERE {}").format(condition))))


def pieces(
    connection: Connection[Any], rows: sql.Composed, *, with_header: bool = True
) -> Generator[tuple[bytes, int]]:
    """Yield the CSV in pieces, each with its number of requests. The database formats the rows."""
    connection.execute("SET LOCAL timezone TO 'UTC'")
    connection.execute("SET LOCAL statement_timeout TO 0")  # the job's own time limits hold
    connection.execute("SET LOCAL datestyle TO 'ISO'")
    command = sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER {}, ENCODING 'UTF8')").format(
        rows, sql.SQL("true" if with_header else "false")
    )
    header = int(with_header)
    with closing(copied_pieces(connection, command)) as copied:
        for piece, lines in copied:
            yield escape_within_texts(piece, lines), lines - header
            header = 0


def escape_within_texts(piece: bytes, lines: int) -> bytes:
    """Return whole lines of CSV with a quote before each sign that starts a formula after the end of a cell."""
    if piece.count(b"\n") == lines and not any(end in piece for end in (b";", b"\t", b"\r")):
        return piece
    return FORMULA_WITHIN_TEXT.sub(rb"\1'\2", piece)


def copied_pieces(connection: Connection[Any], command: sql.Composed) -> Generator[tuple[bytes, int]]:
    """Yield the output of ``COPY ... TO STDOUT``, some ten KiB at a time, each piece with its number of rows.

    Closing the generator early cancels the COPY; the transaction must then be rolled back, as after any error.
    """
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        copied = iter(copy)
        while rows := list(islice(copied, PIECE_ROWS)):
            yield b"".join(rows), len(rows)


def _first(cursor: Cursor[Any]) -> Any:
    row = cursor.fetchone()
    if row is None:
        raise ValueError("the database gave no row")
    return row[0]


def _column(name: str, value: str, kind: str) -> sql.Composed:
    template = {TEXT: ESCAPED, MOMENT: ISO_8601}.get(kind, kind)
    starts = sql.SQL(", ").join(sql.Literal(ord(character)) for character in FORMULA_STARTS)
    formatted = sql.SQL(template).format(value=sql.SQL(value), starts=starts)
    return sql.SQL("{} AS {}").format(formatted, sql.Identifier(name))


def _condition(professional_id: int | None, span: DateRange, between: Between = EVERYTHING) -> sql.Composed:
    conditions: list[sql.Composable] = [sql.SQL("r.status = 'closed'")]
    if professional_id is not None:
        conditions.append(sql.SQL("r.professional_id = {}").format(sql.Literal(professional_id)))
    if span.starts is not None:
        conditions.append(sql.SQL("r.closed_at >= {}").format(sql.Literal(span.starts)))
    if span.ends is not None:
        conditions.append(sql.SQL("r.closed_at < {}").format(sql.Literal(span.ends)))
    for sign, position in ((">", between.after), ("<=", between.until)):
        if position is not None:
            bound = sql.SQL(", ").join(map(sql.Literal, position))
            conditions.append(sql.SQL("(r.closed_at, r.id) {} ({})").format(sql.SQL(sign), bound))
    return sql.SQL(" AND ").join(conditions)

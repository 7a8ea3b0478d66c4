"""Carries what COPY writes from the database in large pieces, at a third of the cost of a step for each row."""

import select
from collections.abc import Generator
from typing import Any, Final

from psycopg import Connection, errors, sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

PIECE_ROWS: Final = 256  # more at once, and memory is no longer warm: twice the time
PATIENCE_SECONDS: Final = 1.0


def pieces(connection: Connection[Any], command: sql.Composed) -> Generator[tuple[bytes, int]]:
    """What ``COPY ... TO STDOUT`` writes, some ten KiB at a time, each with how many rows are in it.

    Closed before its end it cancels the COPY; the transaction is broken then, as after any error.
    """
    wire = connection.pgconn
    begun = wire.exec_(command.as_string(connection).encode())
    if begun.status != ExecStatus.COPY_OUT:
        raise _error(begun.error_field(ord("C")), begun.get_error_message())
    whole = False
    try:
        while not whole:
            rows, whole = _some(wire)
            if rows:
                yield b"".join(rows), len(rows)
    finally:
        if not whole:
            connection.cancel_safe(timeout=5.0)
            while not _some(wire)[1]:
                pass
        _end(wire, wanted=whole)


def _some(wire: PGconn) -> tuple[list[memoryview], bool]:
    """The rows that are there, up to a piece, once there is one; and whether that was all."""
    rows: list[memoryview] = []
    receive = wire.get_copy_data
    while len(rows) < PIECE_ROWS:
        size, row = receive(1)
        if size > 0:
            rows.append(row)
        elif size < 0:
            return rows, True
        else:
            _wait(wire)
    return rows, False


def _wait(wire: PGconn) -> None:
    """Until the server says more; a signal (the job's time limit, say) is heard meanwhile."""
    ear = select.poll()
    ear.register(wire.socket, select.POLLIN)
    while not ear.poll(PATIENCE_SECONDS * 1000):
        pass
    wire.consume_input()


def _end(wire: PGconn, *, wanted: bool) -> None:
    """Take the final result off the connection. Raises what the server says of a COPY that it broke off."""
    failed = None
    while (result := wire.get_result()) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            failed = _error(result.error_field(ord("C")), result.get_error_message())
    if failed is not None and wanted:
        raise failed


def _error(sqlstate: bytes | None, message: str) -> errors.Error:
    kind: type[errors.Error] = errors.DatabaseError
    if sqlstate:
        kind = errors.lookup(sqlstate.decode())
    return kind(message)

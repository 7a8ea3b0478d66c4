"""Spans of the statements that SQLAlchemy sends, where spans are recorded (ADR 188).

What goes to PostgreSQL past SQLAlchemy's cursors (``read_pool``, pipelines, COMMIT) is recorded where it is sent.
"""

from typing import Final

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext, ExecutionContext
from sqlalchemy.engine.interfaces import DBAPICursor

from backend.core.observability import tracing

SPAN: Final = "doorstep_span"  # attribute of a statement's execution


def start(kind: str) -> bool:
    """Record spans if a collector is named, and the statements of all engines; see ``tracing.start``."""
    if not tracing.start(kind):
        return False
    event.listen(Engine, "before_cursor_execute", _begin)
    event.listen(Engine, "after_cursor_execute", _end)
    event.listen(Engine, "handle_error", _fail)
    return True


def _begin(
    _: Connection, __: DBAPICursor, sql: str, ___: object, execution: ExecutionContext | None, ____: bool
) -> None:
    if execution is not None and (span := tracing.started(sql)) is not None:
        setattr(execution, SPAN, span)


def _end(
    _: Connection, __: DBAPICursor, ___: str, ____: object, execution: ExecutionContext | None, _____: bool
) -> None:
    if (span := getattr(execution, SPAN, None)) is not None:
        span.end()


def _fail(context: ExceptionContext) -> None:
    if (span := getattr(context.execution_context, SPAN, None)) is not None:
        span.end(context.original_exception)

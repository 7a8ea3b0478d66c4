"""Reading tasks. Visitors see active tasks; admins also see inactive and archived ones."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, case, func, literal, select

from backend.core.db import read_pool, replica
from backend.core.db.pagination import AnySelect, Page, SortKey, Window, after, cut, decode_cursor, order
from backend.core.errors import NotFound
from backend.core.security.authz import Actor, Role
from backend.domain.tasks import word_matching
from backend.domain.tasks.models import Task

SCOPE: Final = "tasks"
KEYS: Final[tuple[SortKey, ...]] = ((Task.__table__.c.name_key, False), (Task.__table__.c.id, False))
RATING: Final = case(
    (Task.rating_count > 0, func.round(Task.rating_sum / func.nullif(Task.rating_count, 0), 2)), else_=None
)
COLUMNS: Final = (
    Task.id,
    Task.name,
    Task.description,
    Task.category,
    Task.base_price,
    Task.pricing,
    Task.currency,
    Task.time_required,
    (Task.isactive & Task.archived_at.is_(None)).label("isactive"),
    RATING.label("rating"),
    Task.rating_count.label("reviews"),
    Task.professionals,
    Task.picture,
    Task.search_words,
    Task.archived_at,
    Task.name_key,
    Task.version,
)


class TaskRow(NamedTuple):
    """A task as listed, in the order of COLUMNS."""

    id: int
    name: str
    description: str
    category: str
    base_price: Decimal
    pricing: str
    currency: str
    time_required: int
    isactive: bool
    rating: Decimal | None
    reviews: int
    professionals: int
    picture: str | None
    search_words: list[str]
    archived_at: datetime | None
    name_key: str
    version: int


def sees_all(actor: Actor | None) -> bool:
    """Return whether this caller sees inactive and archived tasks."""
    return actor is not None and actor.role in (Role.ADMIN, Role.SYSTEM)


def one(actor: Actor | None, *, task_id: int) -> TaskRow:
    """Return a task visible to the caller. Raises NotFound."""
    row = read_pool.one_or_none(_one(sees_all=sees_all(actor)), {"task_id": task_id})
    if row is None:
        raise NotFound("Task not found.")
    return TaskRow._make(row)


def page(actor: Actor | None, *, window: Window, category: str | None = None, q: str | None = None) -> Page[TaskRow]:
    """Return a page of tasks by name, filtered by category (ignoring case) and by words (tolerating typing errors)."""
    statement = _visible(select(*COLUMNS), sees_all=sees_all(actor))
    if category is not None:
        statement = statement.where(func.plain_text(Task.category) == func.plain_text(literal(category)))
    if q is not None:
        statement = statement.where(word_matching.condition(q))
    if window.cursor:
        statement = statement.where(after(KEYS, decode_cursor(SCOPE, window.cursor, length=len(KEYS))))
    wanted = statement.order_by(*order(KEYS)).limit(window.limit + 1)
    rows = replica.read(lambda source: source.execute(wanted).all(), for_caller=True)
    tasks = [TaskRow._make(row) for row in rows]
    return cut(tasks, window=window, scope=SCOPE, values=lambda row: (row.name_key, row.id))


@cache
def _one(*, sees_all: bool) -> AnySelect:
    return _visible(select(*COLUMNS), sees_all=sees_all).where(Task.id == bindparam("task_id", type_=BigInteger))


def _visible(statement: AnySelect, *, sees_all: bool) -> AnySelect:
    return statement if sees_all else statement.where(Task.isactive, Task.archived_at.is_(None))

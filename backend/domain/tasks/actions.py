"""Actions of admins on tasks: create, edit, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final

from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from backend.core import text
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Conflict, Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.live_updates.changes import announce_tasks
from backend.domain.tasks.models import Task

EDITABLE: Final = (
    "name",
    "description",
    "category",
    "base_price",
    "pricing",
    "time_required",
    "isactive",
    "picture",
    "search_words",
)


@dataclass(frozen=True, slots=True)
class NewTask:
    """The fields of a task; see :class:`Task`."""

    name: str
    description: str
    category: str
    base_price: Decimal
    time_required: int
    isactive: bool = True
    picture: str | None = None
    search_words: Sequence[str] = ()
    pricing: str = "fixed"


def create(actor: Actor, *, new: NewTask) -> Task:
    """Create a task, active or as a draft. Raises Invalid ``name_taken``."""
    fields = {**asdict(new), "search_words": list(new.search_words)}
    task = Task(**fields, name_key=text.key(new.name), currency=current_settings().market_currency)
    db.session.add(task)
    _flush_unique()
    record(actor, "task_created", subject_id=task.id, subject_kind="task", after=_facts(task))
    announce_tasks()
    return task


def edit(actor: Actor, *, task_id: int, changes: Mapping[str, object], expected_version: int | None = None) -> Task:
    """Change a task; existing requests keep the name, price and duration of the day they were made.

    Raises NotFound, Stale when someone else edited it meanwhile, Conflict ``task_archived``, Invalid ``name_taken``.
    """
    task = _locked(task_id, expected_version)
    if task.archived_at is not None:
        raise Conflict("This task is archived and cannot be edited. Create a new task instead.", code="task_archived")
    before = _facts(task)
    for name in EDITABLE:
        if name in changes:
            setattr(task, name, changes[name])
    task.name_key = text.key(task.name)
    after = _facts(task)
    if after == before:
        return task
    task.version += 1
    task.updated_at = now()
    _flush_unique()
    different = [name for name in EDITABLE if before[name] != after[name]]
    record(
        actor,
        "task_edited",
        subject_id=task.id,
        subject_kind="task",
        before={name: before[name] for name in different},
        after={name: after[name] for name in different},
    )
    announce_tasks()
    return task


def remove(actor: Actor, *, task_id: int, expected_version: int | None = None) -> None:
    """Delete a task without requests, or archive one with requests. Raises NotFound, Stale.

    The foreign keys decide which it is: a request made at this very moment holds the task's row.
    """
    task = _locked(task_id, expected_version)
    if task.archived_at is not None:
        return
    facts = _facts(task)
    try:
        with db.session.begin_nested():
            db.session.execute(delete(Task).where(Task.id == task_id))
    except IntegrityError as error:
        if not isinstance(error.orig, ForeignKeyViolation):
            raise
        task.archived_at = task.updated_at = now()
        task.version += 1
        db.session.flush()
        record(actor, "task_archived", subject_id=task_id, subject_kind="task", before=facts)
    else:
        db.session.expunge(task)
        record(actor, "task_deleted", subject_id=task_id, subject_kind="task", before=facts)
    announce_tasks()


def _locked(task_id: int, expected_version: int | None) -> Task:
    statement = select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    task = db.session.execute(statement).scalar_one_or_none()
    if task is None:
        raise NotFound("Task not found.")
    if expected_version is not None and expected_version != task.version:
        raise Stale("This task has changed since you loaded it. Load it again, then repeat your change.")
    return task


def _facts(task: Task) -> dict[str, object]:
    """Return a task's values for the audit trail."""
    facts = {name: getattr(task, name) for name in EDITABLE}
    return {**facts, "base_price": f"{task.base_price:.2f}", "search_words": list(task.search_words)}


def _flush_unique() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        diagnosis = getattr(error.orig, "diag", None)
        if isinstance(error.orig, UniqueViolation) and diagnosis and diagnosis.constraint_name == "uq_tasks_name_key":
            raise Invalid.field(
                "name", "A task with this name already exists. Choose another name.", code="name_taken"
            ) from error
        raise

"""Search synonyms, edited by admins."""

from collections.abc import Sequence

from sqlalchemy import select

from backend.core.clock import now
from backend.core.db.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.core.db.session import db
from backend.core.errors import Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.tasks.models import Synonym

SCOPE = "synonyms"
KEYS: list[SortKey] = [(Synonym.__table__.c.id, False)]


def page(*, window: Window) -> Page[Synonym]:
    """Return all groups of phrases, oldest first."""
    statement = select(Synonym)
    if window.cursor:
        statement = statement.where(after(KEYS, decode_cursor(SCOPE, window.cursor, length=1)))
    rows = db.session.execute(statement.order_by(*order(KEYS)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope=SCOPE, values=lambda row: (row.id,))


def get(synonym_id: int) -> Synonym:
    """Return one group. Raises NotFound."""
    found = db.session.get(Synonym, synonym_id)
    if found is None:
        raise NotFound("Synonym group not found.")
    return found


def create(actor: Actor, *, phrases: Sequence[str]) -> Synonym:
    """Create a group of synonyms. Raises Invalid if all phrases are the same."""
    group = Synonym(phrases=_distinct(phrases))
    db.session.add(group)
    db.session.flush()
    record(actor, "synonyms_created", subject_id=group.id, subject_kind="synonyms", after={"phrases": group.phrases})
    return group


def edit(actor: Actor, *, synonym_id: int, phrases: Sequence[str], expected_version: int | None = None) -> Synonym:
    """Replace the phrases of a group. Raises NotFound, Stale, Invalid."""
    group = _locked(synonym_id, expected_version)
    before, group.phrases = group.phrases, _distinct(phrases)
    group.version += 1
    group.updated_at = now()
    db.session.flush()
    record(
        actor,
        "synonyms_edited",
        subject_id=group.id,
        subject_kind="synonyms",
        before={"phrases": before},
        after={"phrases": group.phrases},
    )
    return group


def remove(actor: Actor, *, synonym_id: int, expected_version: int | None = None) -> None:
    """Delete a group. Raises NotFound, Stale."""
    group = _locked(synonym_id, expected_version)
    record(actor, "synonyms_deleted", subject_id=group.id, subject_kind="synonyms", before={"phrases": group.phrases})
    db.session.delete(group)
    db.session.flush()


def _locked(synonym_id: int, expected_version: int | None) -> Synonym:
    group = db.session.execute(select(Synonym).where(Synonym.id == synonym_id).with_for_update()).scalar_one_or_none()
    if group is None:
        raise NotFound("Synonym group not found.")
    if expected_version is not None and expected_version != group.version:
        raise Stale("These synonyms have changed since you loaded them. Load them again, then repeat your change.")
    return group


def _distinct(phrases: Sequence[str]) -> list[str]:
    """Return the phrases without duplicates, ignoring case."""
    kept = list({phrase.casefold(): phrase for phrase in phrases}.values())
    if len(kept) < 2:
        raise Invalid.field("phrases", "Must contain at least two different phrases.")
    return kept

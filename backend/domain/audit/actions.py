"""Writing the audit trail, in the transaction of the recorded change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import exists, insert, literal, select

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.lru_cache import LruCache
from backend.core.security.authz import Actor
from backend.domain.audit.models import AuditEntry
from backend.domain.live_updates.changes import announce_audit, announce_audit_read

READS: Final = frozenset(
    {
        "activity_viewed",
        "conversation_viewed",
        "document_viewed",
        "export_downloaded",
        "people_listed",
        "person_viewed",
        "request_viewed",
        "requests_listed",
    }
)
# Reads known to be recorded, so that further pages of a list cost no query: (session, action, subject, hour).
_recorded: Final = LruCache[bool](most_bytes=1 << 20, size=lambda _: 200)


def record(
    actor: Actor,
    action: str,
    *,
    subject_id: int | None = None,
    subject_kind: str = "account",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Add an entry: actor, action, subject, address, values before and after. Never pass secrets."""
    db.session.add(
        AuditEntry(
            at=now(),
            actor_id=actor.id,
            actor_role=actor.role.value,
            action=action,
            subject_id=subject_id,
            subject_kind=subject_kind,
            address=actor.address,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )
    announce_audit()


def record_read(actor: Actor, action: str, *, subject_id: int | None = None, subject_kind: str = "account") -> None:
    """Add an entry for personal data that was read, one per reader, subject and hour.

    Call it after the read itself, which then still goes without a transaction.
    """
    hour = now().replace(minute=0, second=0, microsecond=0)
    key = f"{actor.session_id} {action} {subject_kind} {subject_id} {hour:%Y%m%d%H}"
    if _recorded.get(key):
        return
    if _add_unless_there(actor, action, subject_id=subject_id, subject_kind=subject_kind, since=hour):
        announce_audit_read()
    else:
        _recorded.put(key, True)  # an earlier call committed it; one that is still open may yet be rolled back


def _add_unless_there(actor: Actor, action: str, *, subject_id: int | None, subject_kind: str, since: datetime) -> bool:
    there = exists().where(
        AuditEntry.actor_id == actor.id,
        AuditEntry.action == action,
        AuditEntry.subject_kind == subject_kind,
        AuditEntry.subject_id.is_not_distinct_from(subject_id),
        AuditEntry.at >= since,
    )
    values: dict[str, object] = {
        "at": now(),
        "actor_id": actor.id,
        "actor_role": actor.role.value,
        "action": action,
        "subject_id": subject_id,
        "subject_kind": subject_kind,
        "address": actor.address,
    }
    columns = [literal(value, AuditEntry.__table__.c[name].type) for name, value in values.items()]
    statement = insert(AuditEntry).from_select(list(values), select(*columns).where(~there)).returning(AuditEntry.id)
    return db.session.execute(statement).first() is not None

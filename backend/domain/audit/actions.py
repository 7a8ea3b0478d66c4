"""Writing the audit trail, in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.database import db
from backend.domain.audit.models import AuditEntry


def record(
    actor: Actor,
    action: str,
    *,
    subject_id: int | None = None,
    subject_kind: str = "account",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry: who did what to whom, from where, before and after. Never pass secrets."""
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

"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header), stored in the transaction that they guard."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Index, LargeBinary, bindparam, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.session import Base, Created, db
from backend.core.errors import Conflict, Invalid

# One statement, because every call with a key begins with it. An expired key is claimed again. If the call that held
# the lock has just committed, its row is a conflict although this statement's snapshot does not contain it.
CLAIM: Final = text("""
    WITH lock AS MATERIALIZED (
        SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)) AS is_ours
    ), claimed AS (
        INSERT INTO idempotency_keys AS kept (account_id, key, fingerprint)
        SELECT CAST(:account_id AS bigint), :key, :fingerprint FROM lock WHERE is_ours
            ON CONFLICT (account_id, key) DO UPDATE
           SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = NULL, headers = NULL,
               body = NULL
         WHERE kept.created_at < :oldest
        RETURNING key
    )
    SELECT is_ours, EXISTS (SELECT FROM claimed) AS is_new FROM lock
""")
KEEP: Final = text("""
    UPDATE idempotency_keys SET status = :status, headers = :headers, body = :body
     WHERE account_id = :account_id AND key = :key
""").bindparams(bindparam("headers", type_=JSONB))
FINISHED: Final = text("""
    SELECT fingerprint, status, headers, body FROM idempotency_keys
     WHERE account_id = :account_id AND key = :key AND created_at >= :oldest AND status IS NOT NULL
""")


class IdempotencyKey(Base):
    """The stored response to a call that its client may repeat."""

    __tablename__ = "idempotency_keys"

    account_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    created_at: Mapped[Created]
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_idempotency_keys_created", "created_at"),)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response, to be repeated unchanged."""

    status: int
    headers: dict[str, str]
    body: bytes


def stored(account_id: int, key: str, fingerprint: str) -> StoredResponse | None:
    """Return the stored response of a call that has finished, or None. No transaction begins.

    For calls whose work starts before their transaction; :func:`begin` still decides. Raises Invalid if the key was
    used with another body.
    """
    row = read_pool.one_or_none(FINISHED, {"account_id": account_id, "key": key, "oldest": _oldest()})
    if row is None:
        return None
    return _checked(fingerprint, *row)


def begin(account_id: int, key: str, fingerprint: str) -> StoredResponse | None:
    """Claim a key, or return the stored response.

    Raises Conflict while the first call is running and Invalid if the key was used with another body. An advisory
    lock distinguishes running calls from finished ones; it ends with the transaction, so a crash leaves nothing behind.
    """
    values = {"account_id": account_id, "key": key, "fingerprint": fingerprint, "oldest": _oldest()}
    is_ours, is_new = db.session.execute(CLAIM, {**values, "name": f"idempotency:{account_id}:{key}"}).one()
    if not is_ours:
        raise Conflict(
            "The first request with this Idempotency-Key is still running. Try again when it has finished.",
            code="still_running",
            retry_after=1,
        )
    if is_new:
        return None
    row = db.session.execute(
        select(IdempotencyKey).where(IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
    ).scalar_one()
    return _checked(fingerprint, row.fingerprint, row.status, row.headers, row.body)


def _checked(
    fingerprint: str, kept_fingerprint: str, status: int | None, headers: dict[str, str] | None, body: bytes | None
) -> StoredResponse:
    if kept_fingerprint != fingerprint:
        raise Invalid.field(
            "Idempotency-Key", "Already used with a different request body.", code="idempotency_key_reused"
        )
    return StoredResponse(status=status or 200, headers=headers or {}, body=bytes(body or b""))


def keep(account_id: int, key: str, response: StoredResponse) -> None:
    """Store the response in the transaction of the call."""
    values = {"status": response.status, "headers": response.headers, "body": response.body}
    db.session.execute(KEEP, {**values, "account_id": account_id, "key": key})


def release(account_id: int, key: str) -> None:
    """Delete a claimed key, for a refusal that is committed: the corrected call may be sent under it."""
    claimed = delete(IdempotencyKey).where(IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
    db.session.execute(claimed.execution_options(synchronize_session=False))


def drop_expired(limit: int = 500) -> int:
    """Delete up to ``limit`` expired keys and return how many."""
    key = (IdempotencyKey.account_id, IdempotencyKey.key)
    old = select(*key).where(IdempotencyKey.created_at < _oldest()).order_by(IdempotencyKey.created_at).limit(limit)
    gone = delete(IdempotencyKey).where(tuple_(*key).in_(old.with_for_update(skip_locked=True)))
    return len(
        db.session.execute(gone.returning(IdempotencyKey.key).execution_options(synchronize_session=False)).all()
    )


def _oldest() -> datetime:
    return now() - timedelta(hours=current_settings().idempotency_keep_hours)

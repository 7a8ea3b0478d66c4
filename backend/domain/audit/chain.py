"""Verification of the chain of hashes over the audit trail.

Each entry has a seal: its digest, and the hash of the seal before together with that digest. The database writes it at
the end of the transaction (see the migration), by rights that the application does not have. Changing or removing an
entry, or a seal, breaks the chain from there on; removing the newest ones shows only against a head noted elsewhere.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from backend.core.db.session import db

MOST: Final = 100  # findings that are listed
HEAD: Final = text("SELECT position, encode(hash, 'hex') AS hash FROM audit_seals ORDER BY position DESC LIMIT 1")
REMOVED: Final = text("SELECT count(*) FROM audit_seals WHERE removed IS NOT NULL")
FINDINGS: Final = text("""
    WITH chain AS (
        SELECT s.position, s.entry_id, s.digest, s.hash, s.removed, e.id IS NULL AS is_missing,
               audit_digest(e) AS digest_now,
               lag(s.position, 1, 0::bigint) OVER w AS position_before, lag(s.hash, 1, ''::bytea) OVER w AS hash_before
          FROM audit_seals s LEFT JOIN audit_entries e ON e.id = s.entry_id
        WINDOW w AS (ORDER BY s.position)
    ), judged AS (
        SELECT position, entry_id,
               CASE WHEN position <> position_before + 1 THEN 'seals are missing before it'
                    WHEN hash <> sha256(hash_before || digest) THEN 'its seal does not follow from the one before'
                    WHEN is_missing AND removed IS NULL THEN 'the entry was removed'
                    WHEN NOT is_missing AND digest_now <> digest THEN 'the entry was changed'
               END AS problem
          FROM chain
    )
    SELECT position, entry_id, problem FROM judged WHERE problem IS NOT NULL
     UNION ALL
    SELECT NULL, e.id, 'the entry has no seal' FROM audit_entries e
     WHERE NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = e.id)
     ORDER BY position NULLS LAST, entry_id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Finding:
    """An entry that was changed or removed according to the chain."""

    entry_id: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification. Store ``head`` where the database's owner cannot write."""

    seals: int
    head: str | None
    removed: int
    findings: list[Finding]


def verify() -> Verdict:
    """Verify every seal against its entry and the previous seal. Reads the whole trail once."""
    db.session.execute(text("SET LOCAL statement_timeout = 0"))
    found = [Finding(row.entry_id, row.problem) for row in db.session.execute(FINDINGS, {"most": MOST})]
    head = db.session.execute(HEAD).one_or_none()
    removed = db.session.execute(REMOVED).scalar_one()
    return Verdict(head.position if head else 0, head.hash if head else None, removed, found)

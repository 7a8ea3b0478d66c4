"""Actions of and on professionals: sign up, submit and decide on documents, edit tasks and service area."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Conflict, Invalid
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions as accounts
from backend.domain.accounts.actions import NewAccount
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.documents import actions as documents
from backend.domain.documents import queries as document_queries
from backend.domain.documents.actions import Stored
from backend.domain.live_updates import changes
from backend.domain.notifications.create import notify
from backend.domain.places import queries as places
from backend.domain.professionals import approval, availability, queries
from backend.domain.professionals.approval import Approval, Transition
from backend.domain.professionals.models import Professional, ProfessionalPincode, ProfessionalTask


@dataclass(frozen=True, slots=True)
class NewProfile:
    """The fields of a professional's sign-up besides those of the account."""

    exp: int
    compname: str
    task_ids: Sequence[int] = ()


class DocumentReplaced(Conflict):
    """The decision names a document that was replaced meanwhile."""

    code = "document_replaced"


def sign_up(new: NewAccount, *, trade: NewProfile, document: Stored | None = None) -> Account:
    """Create a professional's account, inactive until a document is approved. Raises Invalid naming each field."""
    account = accounts.sign_up(new, role=Role.PROFESSIONAL, also_wrong=_unknown_tasks(trade.task_ids))
    row = Professional(account_id=account.id, exp=trade.exp, compname=trade.compname)
    db.session.add(row)
    db.session.flush()
    _set_tasks(account.id, trade.task_ids)
    if document:
        documents.keep(account.id, document)
        _move(row, approval.SUBMIT)
    availability.refresh(account.id)
    return account


def submit_document(actor: Actor, *, document: Stored, expected_version: int | None = None) -> Account:
    """Submit or replace the document, which an admin must approve before further work. Raises Stale."""
    account = accounts.touch(actor.account_id, expected_version=expected_version)
    row = queries.locked(account.id)
    documents.keep(row.account_id, document)
    _move(row, approval.SUBMIT)
    availability.refresh(row.account_id)
    return account


def approve(
    actor: Actor,
    *,
    professional_id: int,
    expires_at: datetime | None = None,
    document_id: int | None = None,
    expected_version: int | None = None,
) -> None:
    """Approve the document, until a time when one is given.

    Raises Conflict ``document_missing`` without a document, DocumentReplaced when it is not the one that was named.
    """
    if expires_at is not None and expires_at <= now():
        raise Invalid.field("expires_at", "Must be in the future.")
    row = _decided_on(professional_id, expected_version)
    document = _document_decided_on(row, document_id)
    before = row.approval
    _move(row, approval.APPROVE, expires_at=expires_at)
    record(
        actor,
        "professional_approved",
        subject_id=professional_id,
        before={"approval": before},
        after={
            "approval": row.approval,
            "expires_at": expires_at.isoformat() if expires_at else None,
            **document,
        },
    )
    notify(professional_id, "approved", params={"expires": expires_at} if expires_at else {})
    availability.refresh(professional_id)


def reject(
    actor: Actor,
    *,
    professional_id: int,
    reason: str,
    document_id: int | None = None,
    expected_version: int | None = None,
) -> None:
    """Reject the document with a reason; another one can be submitted. Raises DocumentReplaced as ``approve`` does."""
    row = _decided_on(professional_id, expected_version)
    document = _document_decided_on(row, document_id)
    before = row.approval
    _move(row, approval.REJECT, reason=reason)
    record(
        actor,
        "professional_rejected",
        subject_id=professional_id,
        before={"approval": before},
        after={"approval": row.approval, "reason": reason, **document},
    )
    notify(professional_id, "rejected", params={"reason": reason})
    availability.refresh(professional_id)


def set_expiry(
    actor: Actor, *, professional_id: int, expires_at: datetime | None, expected_version: int | None = None
) -> None:
    """Set the expiry of an approval (None: never). Raises Conflict without an approval."""
    if expires_at is not None and expires_at <= now():
        raise Invalid.field("approval_expires_at", "Must be in the future.")
    row = _decided_on(professional_id, expected_version)
    if row.approval != Approval.APPROVED:
        message = f"The approval status is {row.approval}. An expiry date can be set only when it is approved."
        raise Conflict(message, code="invalid_transition")
    before = row.approval_expires_at
    row.approval_expires_at, row.expiry_reminded_at = expires_at, None
    db.session.flush()
    record(
        actor,
        "approval_expiry_set",
        subject_id=professional_id,
        before={"expires_at": before.isoformat() if before else None},
        after={"expires_at": expires_at.isoformat() if expires_at else None},
    )
    availability.refresh(professional_id)


def edit(
    account_id: int,
    *,
    compname: str | None = None,
    exp: int | None = None,
    radius_km: int | None = None,
    task_ids: Sequence[int] | None = None,
    pincodes: Sequence[str] | None = None,
) -> None:
    """Change what a professional does and where; None leaves a field. Raises Invalid for unknown tasks or pincodes."""
    wrong = _unknown_tasks(task_ids or (), account_id=account_id)
    if missing := places.unknown(pincodes or ()):
        wrong["pincodes"] = [f"Pincode {pincode} does not exist." for pincode in missing]
    if wrong:
        raise Invalid("Some fields are invalid.", errors=wrong)
    row = queries.locked(account_id)
    row.compname = row.compname if compname is None else compname
    row.exp = row.exp if exp is None else exp
    row.radius_km = row.radius_km if radius_km is None else radius_km
    db.session.flush()
    if task_ids is not None:
        db.session.execute(delete(ProfessionalTask).where(ProfessionalTask.account_id == account_id))
        _set_tasks(account_id, task_ids)
    if pincodes is not None:
        db.session.execute(delete(ProfessionalPincode).where(ProfessionalPincode.account_id == account_id))
        rows = [{"account_id": account_id, "pincode": pincode} for pincode in dict.fromkeys(pincodes)]
        if rows:
            db.session.execute(insert(ProfessionalPincode), rows)
    availability.refresh(account_id)


def _decided_on(professional_id: int, expected_version: int | None) -> Professional:
    """Lock and return the row for a decision, so that a concurrent decision sees the result of the first.

    Always lock the account first, then the professional: concurrent edits and uploads wait.
    """
    accounts.touch(professional_id, expected_version=expected_version)
    return queries.locked(professional_id)


def _document_decided_on(row: Professional, document_id: int | None) -> dict[str, object]:
    """Return the current document's facts for the audit trail. Raises DocumentReplaced if another was named.

    The caller holds the rows that an upload locks before it replaces a document: nothing can change in between.
    """
    document = document_queries.current(row.account_id)
    if document is None:
        return {}
    if document_id is not None and document.id != document_id:
        raise DocumentReplaced("The document was replaced after you opened it. Review the new one.")
    return {"document_id": document.id, "sha256": document.sha256}


def _move(
    row: Professional, transition: Transition, *, reason: str | None = None, expires_at: datetime | None = None
) -> None:
    approval.require(transition, queries.effective_approval(row.approval, row.approval_expires_at))
    row.approval = transition.target.value
    row.approval_reason = reason
    row.approval_changed_at = now()
    row.holds_checked_at = now() if transition is approval.APPROVE else None
    row.approval_expires_at = expires_at
    row.expiry_reminded_at = None
    db.session.flush()
    changes.announce_approval(row.account_id)


def _set_tasks(account_id: int, task_ids: Sequence[int]) -> None:
    rows = [{"account_id": account_id, "task_id": task_id} for task_id in dict.fromkeys(task_ids)]
    if rows:
        db.session.execute(insert(ProfessionalTask), rows)


def _unknown_tasks(task_ids: Sequence[int], *, account_id: int | None = None) -> dict[str, list[str]]:
    unknown = queries.unknown_tasks(task_ids, account_id=account_id)
    return {"task_ids": [f"Task {task_id} does not exist." for task_id in unknown]} if unknown else {}

"""Decisions on professionals' documents."""

from datetime import datetime
from typing import Final, TypedDict

from backend.api.schemas.common import DateTimeField, Id, Reason, ReasonData, Strict

REVIEWED: Final = "The document that was reviewed. 409 ``document_replaced`` if it has been replaced since."


def _reviewed_document() -> Id:
    return Id(load_default=None, allow_none=True, metadata={"description": REVIEWED})


class Approve(Strict):
    """An approval, which does not expire without ``expires_at``."""

    expires_at = DateTimeField(load_default=None, allow_none=True)
    document_id = _reviewed_document()


class ApproveData(TypedDict):
    """The loaded :class:`Approve`."""

    expires_at: datetime | None
    document_id: int | None


class Reject(Reason):
    """A rejection and its reason."""

    document_id = _reviewed_document()


class RejectData(ReasonData):
    """The loaded :class:`Reject`."""

    document_id: int | None


class Expiry(Strict):
    """The expiry of an approval; null means never."""

    approval_expires_at = DateTimeField(required=True, allow_none=True)


class ExpiryData(TypedDict):
    """The loaded :class:`Expiry`."""

    approval_expires_at: datetime | None

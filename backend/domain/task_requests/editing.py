"""Changing a request that lives: what, where, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.core.authz import Actor
from backend.core.clock import now
from backend.domain.places import queries as places
from backend.domain.task_requests import policies, telling
from backend.domain.task_requests.lifecycle import Action, Status
from backend.domain.task_requests.transitions import Plan, carry_out


@dataclass(frozen=True, slots=True)
class Edits:
    """What may be changed; None leaves it as it is."""

    date_of_request: datetime | None = None
    remarks: str | None = None
    address: str | None = None
    pincode: str | None = None

    def differing(self, row: Any) -> dict[str, Any]:
        """The columns that really change."""
        given = {name: getattr(self, name) for name in ("date_of_request", "remarks", "address", "pincode")}
        return {name: value for name, value in given.items() if value is not None and value != getattr(row, name)}


def edit(actor: Actor, *, request_id: int, edits: Edits, expected_version: int | None = None) -> None:
    """Change remarks, address, pincode, or the date; a new date asks the same professional again."""
    if edits.pincode is not None:
        places.require(edits.pincode)
    different: dict[str, Any] = {}

    def plan(row: Any) -> Plan | None:
        different.clear()
        different.update(edits.differing(row))
        if not different:
            return None
        changes = {name: [_plain(getattr(row, name)), _plain(value)] for name, value in different.items()}
        if "date_of_request" not in different:
            return Plan(dict(different), changes=changes)
        values = {**different, **_moved(row, different["date_of_request"])}
        return Plan(values, changes=changes, action=Action.MOVE)

    row = carry_out(actor, Action.EDIT, request_id=request_id, plan=plan, expected_version=expected_version)
    if different:
        date = different.get("date_of_request", row.date_of_request)
        telling.changed(row, date=date, what=[name.replace("_of_request", "") for name in different])


def _moved(row: Any, date_of_request: datetime) -> dict[str, Any]:
    """What a new date does beside itself: nobody has accepted it, the same professional is asked first."""
    at = now()
    policy = policies.for_task(row.task_id)
    policy.check_notice(date_of_request, at=at)
    asked = row.professional_id or row.asked_professional_id
    values: dict[str, Any] = {"professional_id": None, "accepted_at": None, "busy": None}
    values["asked_professional_id"] = asked
    values["asked_until"] = policy.answer_by(date_of_request=date_of_request, at=at) if asked else None
    if row.status == Status.ACCEPTED:
        values["moved_late"] = policy.is_late(row.date_of_request, at=at)
    return values


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

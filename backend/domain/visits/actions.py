"""The steps of a visit while its request is accepted, undoing the last one, and whether it will be on time."""

from datetime import datetime, timedelta
from typing import Final

from backend.core.clock import now
from backend.core.security.authz import Actor, Role
from backend.domain.task_requests import door_codes, queries
from backend.domain.task_requests.access import last_step
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.reported_times import reported_changes, time_of_step
from backend.domain.task_requests.rows import Request, RequestWithContacts
from backend.domain.task_requests.transitions import load, retry_when_changed, write
from backend.domain.visits import start_codes
from backend.domain.visits.notifications import notify_step

COLUMNS: Final = {Action.ON_THE_WAY: "on_the_way_at", Action.ARRIVE: "arrived_at", Action.START: "started_at"}


@retry_when_changed
def confirm_on_time(
    actor: Actor, *, request_id: int, at: datetime | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Record that the professional comes as planned. Once it is recorded, repeating it changes nothing."""
    request = load(actor, Action.ON_TIME, request_id=request_id, expected_version=expected_version)
    if request.on_time_at is not None:
        return queries.one(actor, request_id=request_id)[0]
    values = {"on_time_at": time_of_step(request, at), "eta_at": None}
    changed = write(actor, request, Action.ON_TIME, values, changes=reported_changes(reported=at))
    notify_step(actor, changed, Action.ON_TIME)
    return changed


@retry_when_changed
def set_off(
    actor: Actor,
    *,
    request_id: int,
    eta_minutes: int | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
) -> RequestWithContacts:
    """Record that the professional is on the way. ``at`` is the time that the client reports, if it was offline.

    Raises:
        Invalid: The reported time is not possible.
    """
    request = load(actor, Action.ON_THE_WAY, request_id=request_id, expected_version=expected_version)
    taken_at = time_of_step(request, at)
    eta_at = None if eta_minutes is None else taken_at + timedelta(minutes=eta_minutes)
    return _take(actor, request, Action.ON_THE_WAY, taken_at=taken_at, reported=at, eta_at=eta_at)


@retry_when_changed
def report_delay(
    actor: Actor,
    *,
    request_id: int,
    eta_minutes: int,
    at: datetime | None = None,
    expected_version: int | None = None,
) -> RequestWithContacts:
    """Replace the estimated time of arrival, before or after the professional has set off.

    The visit is no longer confirmed as on time.
    """
    request = load(actor, Action.RUNNING_LATE, request_id=request_id, expected_version=expected_version)
    eta_at = time_of_step(request, at) + timedelta(minutes=eta_minutes)
    changes = reported_changes(reported=at, eta_at=eta_at)
    changed = write(actor, request, Action.RUNNING_LATE, {"eta_at": eta_at, "on_time_at": None}, changes=changes)
    notify_step(actor, changed, Action.RUNNING_LATE, eta_at=eta_at)
    return changed


@retry_when_changed
def arrive(
    actor: Actor, *, request_id: int, at: datetime | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Record that the professional has arrived."""
    request = load(actor, Action.ARRIVE, request_id=request_id, expected_version=expected_version)
    return _take(actor, request, Action.ARRIVE, taken_at=time_of_step(request, at), reported=at)


@retry_when_changed
def start(
    actor: Actor,
    *,
    request_id: int,
    code: str | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
) -> RequestWithContacts:
    """Record that the work has started. The customer needs no code; the professional does, by the task's policy.

    Raises:
        WrongCode: The code is wrong. The caller must commit.
        TooMany: Too many codes were wrong.
    """
    request = load(actor, Action.START, request_id=request_id, expected_version=expected_version)
    taken_at = time_of_step(request, at)
    proof = "customer" if actor.role is Role.CUSTOMER else None
    if actor.role is Role.PROFESSIONAL and start_codes.is_needed(request):
        start_codes.check(request, code=code)
        proof = "code"
    values = {**door_codes.NOT_TRIED, "start_proof": proof}
    return _take(actor, request, Action.START, taken_at=taken_at, reported=at, values=values)


@retry_when_changed
def undo_step(actor: Actor, *, request_id: int, expected_version: int | None = None) -> RequestWithContacts:
    """Undo the last step, which the same user took within the last two minutes. Earlier steps stay."""
    request = load(actor, Action.UNDO_STEP, request_id=request_id, expected_version=expected_version)
    undone = last_step(request)
    if undone is None:
        raise ValueError("the state table allows undoing only a step that was taken")
    values: dict[str, object] = {COLUMNS[undone]: None, "step_at": None, "step_by": None}
    if undone is Action.ON_THE_WAY:
        values["eta_at"] = None
    if undone is Action.START:
        values["start_proof"] = None
    changed = write(actor, request, Action.UNDO_STEP, values, changes={"step": undone.value})
    notify_step(actor, changed, Action.UNDO_STEP, undone=undone)
    return changed


def _take(
    actor: Actor,
    request: Request,
    step: Action,
    *,
    taken_at: datetime,
    reported: datetime | None,
    eta_at: datetime | None = None,
    values: dict[str, object] | None = None,
) -> RequestWithContacts:
    columns: dict[str, object] = {COLUMNS[step]: taken_at, "step_at": now(), "step_by": actor.id, **(values or {})}
    if eta_at is not None:
        columns["eta_at"] = eta_at
    changed = write(actor, request, step, columns, changes=reported_changes(reported=reported, eta_at=eta_at))
    notify_step(actor, changed, step, eta_at=changed.request.eta_at if step is Action.ON_THE_WAY else None)
    return changed

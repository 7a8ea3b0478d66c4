"""Notifications of the steps of a visit, to the side that did not take them."""

from datetime import datetime

from backend.core.security.authz import Actor, Role
from backend.domain.notifications.create import notify
from backend.domain.notifications.messages import phrase
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.rows import RequestWithContacts

KINDS = {
    Action.ON_TIME: "request_on_time",
    Action.ON_THE_WAY: "request_on_the_way",
    Action.RUNNING_LATE: "request_running_late",
    Action.ARRIVE: "request_arrived",
    Action.START: "request_started",
    Action.UNDO_STEP: "request_step_undone",
}


def notify_step(
    actor: Actor,
    changed: RequestWithContacts,
    action: Action,
    *,
    eta_at: datetime | None = None,
    undone: Action | None = None,
) -> None:
    """Notify the other side of a step. ``undone`` is the step that was undone."""
    request = changed.request
    params: dict[str, object] = {"task": request.task_name, "date": request.date_of_request}
    if actor.role is Role.CUSTOMER:
        account_id, params["customer"] = request.professional_id, changed.customer_firstname
    else:
        account_id = request.customer_id
        params["professional"] = f"{changed.professional_firstname} ({changed.professional_compname})"
    if eta_at is not None:
        params["eta"] = {"time": eta_at.isoformat()}
    if undone is not None:
        params["step"] = phrase(f"visit_steps.{undone}")
    if account_id is not None:
        notify(account_id, KINDS[action], request_id=request.id, params=params)

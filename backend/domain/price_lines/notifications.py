"""Notifications of price lines, to the side that did not act."""

from typing import Final

from backend.core.security.authz import Actor, Role
from backend.domain.notifications.create import notify
from backend.domain.notifications.messages import amount
from backend.domain.price_lines.rows import Line
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.rows import RequestWithContacts

KINDS: Final = {
    Action.PROPOSE_LINE: "request_line_proposed",
    Action.APPROVE_LINE: "request_line_approved",
    Action.DECLINE_LINE: "request_line_declined",
    Action.WITHDRAW_LINE: "request_line_withdrawn",
}


def notify_line(actor: Actor, changed: RequestWithContacts, line: Line, action: Action) -> None:
    """Notify the other side of a proposal or a decision, with the total that results."""
    request = changed.request
    params: dict[str, object] = {
        "task": request.task_name,
        "date": request.date_of_request,
        "line": line.title,
        "amount": amount(line.amount, request.currency),
        "total": amount(request.total, request.currency),
    }
    if actor.role is Role.CUSTOMER:
        account_id, params["customer"] = line.professional_id, changed.customer_firstname
    else:
        account_id = request.customer_id
        params["professional"] = f"{changed.professional_firstname} ({changed.professional_compname})"
    notify(account_id, KINDS[action], request_id=request.id, params=params)

"""Price lines over HTTP: propose, list, approve, decline, withdraw."""

from flask import Response

from backend.api.auth import ACTIVE, CUSTOMERS, CUSTOMERS_AND_PROFESSIONALS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.resources.task_requests import CHANGE_ERRORS
from backend.api.responses import JsonObject, expected_version
from backend.api.schemas import price_lines as schemas
from backend.api.schemas.common import plain_number
from backend.core.errors import NotFound, TooMany
from backend.core.security.authz import Actor, Role
from backend.domain.price_lines import actions, approval_codes, queries
from backend.domain.price_lines.amounts import Kind
from backend.domain.price_lines.rows import Line
from backend.domain.task_requests.door_codes import WrongCode

SHOWN = (
    *("id", "kind", "title", "reason", "unit_amount", "amount", "state"),
    *("by_code", "proposed_at", "decided_at", "withdrawn_at"),
)


def present(actor: Actor, line: Line) -> JsonObject:
    """Return a line as the actor may see it: the approval code is for its customer alone."""
    body: JsonObject = {name: getattr(line, name) for name in SHOWN}
    body["quantity"] = plain_number(line.quantity)
    if actor.role is Role.CUSTOMER:
        body["approval_code"] = approval_codes.shown_to_customer(line)
    return body


class PriceLines(Resource):
    @endpoint(
        summary="List the price lines of a request",
        who=ACTIVE,
        response=schemas.PriceLines(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Oldest first. Professionals see those that they proposed. ``total`` counts approved lines only."""
        found = queries.of_request(actor, request_id=request_id)
        return {
            "items": [present(actor, line) for line in found.lines],
            "next_cursor": None,
            "price": found.request.price,
            "total": found.request.total,
            "currency": found.request.currency,
            "reasons": list(found.reasons),
            "cap_percent": found.cap_percent,
        }

    @endpoint(
        summary="Propose a price line",
        who=PROFESSIONALS,
        body=schemas.NewPriceLine(),
        response=schemas.PriceLine(),
        status=201,
        errors=CHANGE_ERRORS,
        idempotent=True,
        rate_limit="message_rate_limit",
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.NewPriceLineData) -> JsonObject:
        """While the request is accepted. Costs nothing until the customer approves it.

        409: `line_above_cap`, `discount_too_large` or `too_many_lines`.
        """
        new = actions.NewLine(
            kind=Kind(body["kind"]),
            title=body["title"],
            quantity=body["quantity"],
            unit_amount=body["unit_amount"],
            reason=body["reason"],
        )
        return present(
            actor, actions.propose(actor, request_id=request_id, new=new, expected_version=expected_version())
        )


class ApproveLine(Resource):
    @endpoint(
        summary="Approve a price line",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.Approval(),
        body_required=False,
        response=schemas.PriceLine(),
        errors=(*CHANGE_ERRORS, TooMany),
    )
    def post(self, actor: Actor, *, request_id: int, line_id: int, body: schemas.ApprovalData) -> JsonObject | Response:
        """Customers approve without a code.

        Professionals send the ``code`` that the customer sees and reads out. 422: `code_required` or `wrong_code`; 429
        for 15 minutes after five wrong codes. 409: `line_decided`, `line_above_cap` or `discount_too_large`.
        """
        try:
            line = actions.approve(
                actor, request_id=request_id, line_id=line_id, **body, expected_version=expected_version()
            )
        except WrongCode as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        return present(actor, line)


class DeclineLine(Resource):
    @endpoint(
        summary="Decline a price line",
        who=CUSTOMERS,
        response=schemas.PriceLine(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, line_id: int) -> JsonObject:
        """The total stays as it is. 409: `line_decided`."""
        line = actions.decline(actor, request_id=request_id, line_id=line_id, expected_version=expected_version())
        return present(actor, line)


class WithdrawLine(Resource):
    @endpoint(
        summary="Withdraw a price line",
        who=PROFESSIONALS,
        response=schemas.PriceLine(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, line_id: int) -> JsonObject:
        """Possible until the customer has decided. 409: `line_decided`."""
        line = actions.withdraw(actor, request_id=request_id, line_id=line_id, expected_version=expected_version())
        return present(actor, line)

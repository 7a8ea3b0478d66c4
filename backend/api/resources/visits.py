"""Visits over HTTP: a call for each step, and the link that shares a visit."""

from flask import Response

from backend.api.auth import ANYONE, CUSTOMERS, CUSTOMERS_AND_PROFESSIONALS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.resources.profiles import photo_path
from backend.api.resources.task_requests import CHANGE_ERRORS, changed
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import task_requests as request_schemas
from backend.api.schemas import visits as schemas
from backend.api.web_app import SECRET_ADDRESS
from backend.core.errors import Conflict, NotFound, TooMany
from backend.core.security.authz import Actor
from backend.domain.task_requests.door_codes import WrongCode
from backend.domain.visits import actions, links


class OnTime(Resource):
    @endpoint(
        summary="Confirm that the professional comes on time",
        who=PROFESSIONALS,
        body=schemas.Step(),
        body_required=False,
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.StepData) -> ApiResponse:
        """Possible from the visit's reminder until its planned time. Notifies the customer once."""
        row = actions.confirm_on_time(actor, request_id=request_id, **body, expected_version=expected_version())
        return changed(actor, row)


class OnTheWay(Resource):
    @endpoint(
        summary="Record that the professional is on the way",
        who=PROFESSIONALS,
        body=schemas.SetOff(),
        body_required=False,
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.SetOffData) -> ApiResponse:
        """Notifies the customer, with the estimated time of arrival if ``eta_minutes`` is given."""
        row = actions.set_off(actor, request_id=request_id, **body, expected_version=expected_version())
        return changed(actor, row)


class RunningLate(Resource):
    @endpoint(
        summary="Report a delay",
        who=PROFESSIONALS,
        body=schemas.Delay(),
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.DelayData) -> ApiResponse:
        """Replaces the estimated time of arrival and notifies the customer. Possible until the professional arrives."""
        row = actions.report_delay(actor, request_id=request_id, **body, expected_version=expected_version())
        return changed(actor, row)


class Arrive(Resource):
    @endpoint(
        summary="Record that the professional has arrived",
        who=PROFESSIONALS,
        body=schemas.Step(),
        body_required=False,
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.StepData) -> ApiResponse:
        """Notifies the customer. The step on the way may be skipped."""
        return changed(actor, actions.arrive(actor, request_id=request_id, **body, expected_version=expected_version()))


class Start(Resource):
    @endpoint(
        summary="Start the visit",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.Start(),
        body_required=False,
        response=request_schemas.Request(),
        errors=(*CHANGE_ERRORS, TooMany),
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.StartData) -> ApiResponse | Response:
        """Customers confirm without a code.

        Professionals send the customer's ``code`` unless ``start_code_policy`` is "off". 422: `code_required` or
        `wrong_code`; 429 for 15 minutes after five wrong codes.
        """
        try:
            row = actions.start(actor, request_id=request_id, **body, expected_version=expected_version())
        except WrongCode as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        return changed(actor, row)


class UndoStep(Resource):
    @endpoint(
        summary="Undo the last step of the visit",
        who=CUSTOMERS_AND_PROFESSIONALS,
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int) -> ApiResponse:
        """Possible within two minutes, for the user who took the step. The history keeps both entries."""
        return changed(actor, actions.undo_step(actor, request_id=request_id, expected_version=expected_version()))


class VisitLink(Resource):
    @endpoint(
        summary="Get the link that shares a visit",
        who=CUSTOMERS,
        response=schemas.VisitLink(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Says whether a link is active. Its URL is returned only when it is created."""
        return present_link(links.get(actor, request_id=request_id))

    @endpoint(
        summary="Create a link that shares a visit",
        who=CUSTOMERS,
        response=schemas.VisitLink(),
        status=201,
        errors=(NotFound, Conflict),
    )
    def post(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Replaces an earlier link. It ends two hours after the planned end of the work, or when it is cancelled."""
        return present_link(links.make(actor, request_id=request_id))

    @endpoint(summary="End the link that shares a visit", who=CUSTOMERS, status=204, errors=(NotFound,))
    def delete(self, actor: Actor, *, request_id: int) -> None:
        """Anyone who has the link no longer sees the visit."""
        links.end(actor, request_id=request_id)


class SharedVisit(Resource):
    @endpoint(
        summary="Get a shared visit",
        who=ANYONE,
        response=schemas.SharedVisit(),
        errors=(NotFound,),
        rate_limit="visit_rate_limit",
    )
    def get(self, _: Actor | None, *, token: str) -> ApiResponse:
        """For anyone who has the link. Shows neither address nor contact details."""
        visit = links.read(token)
        body: JsonObject = {
            "task_name": visit.task_name,
            "status": visit.status,
            "date_of_request": visit.date_of_request,
            "time_required": visit.time_required,
            "professional": None,
            "on_the_way_at": visit.on_the_way_at,
            "eta_at": visit.eta_at,
            "on_time_at": visit.on_time_at,
            "arrived_at": visit.arrived_at,
            "started_at": visit.started_at,
            "completed_at": visit.completed_at,
            "expires_at": visit.expires_at,
        }
        if visit.professional_id is not None:
            body["professional"] = {
                "id": visit.professional_id,
                "firstname": visit.firstname,
                "compname": visit.compname,
                "photo_url": photo_path(visit.professional_id, visit.photo),
            }
        return ApiResponse(body, headers=dict(SECRET_ADDRESS))


def present_link(link: links.Link | None) -> JsonObject:
    """Return a link, or that there is none."""
    return {
        "active": link is not None,
        "url": link and link.url,
        "created_at": link and link.created_at,
        "expires_at": link and link.expires_at,
    }

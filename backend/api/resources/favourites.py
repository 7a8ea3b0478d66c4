"""Favourites, users who are not matched again, and requests that are sent again."""

from typing import Final

from backend.api.auth import CUSTOMERS, CUSTOMERS_AND_PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.profiles import photo_path
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import favourites as schemas
from backend.api.schemas.common import Window, WindowData
from backend.core.db import pagination
from backend.core.db.pagination import Page
from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.security.authz import Actor
from backend.domain.accounts import actions as accounts
from backend.domain.favourites import actions, exclusions, queries
from backend.domain.favourites.exclusions import OwnExclusion
from backend.domain.favourites.queries import FavouriteProfessional
from backend.domain.task_requests import asking

FIELDS: Final = ("id", "firstname", "compname", "exp", "rating", "reviews", "created_at")


class MyFavourites(Resource):
    @endpoint(
        summary="List my favourites",
        who=CUSTOMERS,
        query=Window(),
        response=schemas.Favourite(),
        paged=True,
        errors=(Invalid,),
    )
    def get(self, actor: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Newest first. Each task lists them before all other professionals."""
        page = queries.page(actor, window=pagination.Window(**query))
        return Page([present(row) for row in page.items], page.next_cursor)


class MyFavourite(Resource):
    @endpoint(summary="Add a favourite", who=CUSTOMERS, status=204, errors=(NotFound, Conflict))
    def put(self, actor: Actor, *, professional_id: int) -> ApiResponse:
        """Repeating it changes nothing. At most 100 professionals; 409 ``too_many_favourites`` beyond."""
        accounts.hold(actor.account_id)
        actions.add(actor, professional_id=professional_id)
        return ApiResponse()

    @endpoint(summary="Remove a favourite", who=CUSTOMERS, status=204)
    def delete(self, actor: Actor, *, professional_id: int) -> ApiResponse:
        """Repeating it changes nothing."""
        actions.remove(actor, professional_id=professional_id)
        return ApiResponse()


class MyExclusions(Resource):
    @endpoint(
        summary="List users with whom I am not matched again",
        who=CUSTOMERS_AND_PROFESSIONALS,
        query=Window(),
        response=schemas.Exclusion(),
        paged=True,
        errors=(Invalid,),
    )
    def get(self, actor: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Newest first; only those whom the caller chose."""
        page = exclusions.page(actor, window=pagination.Window(**query))
        return Page([present_exclusion(row) for row in page.items], page.next_cursor)


class MyExclusion(Resource):
    @endpoint(
        summary="Never match me with a user again",
        who=CUSTOMERS_AND_PROFESSIONALS,
        status=204,
        errors=(NotFound, Conflict),
    )
    def put(self, actor: Actor, *, account_id: int) -> ApiResponse:
        """For a user met in a request: one who accepted it, or was asked for it. The other user is not told.

        Neither finds the other in lists and open requests any more; what they have accepted goes on. Repeating it
        changes nothing.
        """
        accounts.hold(actor.account_id)
        exclusions.add(actor, other_id=account_id)
        return ApiResponse()

    @endpoint(summary="Match me with a user again", who=CUSTOMERS_AND_PROFESSIONALS, status=204)
    def delete(self, actor: Actor, *, account_id: int) -> ApiResponse:
        """Undoes what the caller chose. Repeating it changes nothing."""
        exclusions.remove(actor, other_id=account_id)
        return ApiResponse()


class RequestAgain(Resource):
    @endpoint(
        summary="Get what a request is sent again with",
        who=CUSTOMERS,
        response=schemas.RequestAgain(),
        errors=(NotFound, Conflict),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """For a request that has ended. Says whether its task and its professional can still be asked for."""
        found = asking.again(actor, request_id=request_id)
        return {
            "task_id": found.task_id,
            "task_name": found.task_name,
            "available": int(found.available),
            "address": found.address,
            "pincode": found.pincode,
            "remarks": found.remarks,
            "professional": found.professional and present_asked(found.professional),
        }


def present(row: FavouriteProfessional) -> JsonObject:
    """Return a favourite as a response body."""
    shown = {name: getattr(row, name) for name in FIELDS}
    return shown | {"photo_url": photo_path(row.id, row.photo), "available": int(row.available)}


def present_exclusion(row: OwnExclusion) -> JsonObject:
    """Return an exclusion as the user who set it sees it."""
    return {
        "id": row.id,
        "firstname": row.firstname,
        "compname": row.compname,
        "request": {"id": row.request_id, "task_name": row.task_name, "date_of_request": row.date_of_request},
        "created_at": row.created_at,
    }


def present_asked(professional: asking.AskedProfessional) -> JsonObject:
    """Return the professional of an ended request as its customer sees them."""
    return {
        "id": professional.id,
        "firstname": professional.firstname,
        "compname": professional.compname,
        "available": int(professional.available),
    }

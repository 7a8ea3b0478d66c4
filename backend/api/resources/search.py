"""Search, synonyms, and the professionals for a task."""

from typing import Final

from flask import Response

from backend.api.auth import ADMINS, ANYONE, CUSTOMERS_AND_ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.profiles import photo_path
from backend.api.response_cache import public
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import search as schemas
from backend.api.schemas.common import Window as Paging
from backend.api.schemas.common import WindowData
from backend.core.cache import Rendered
from backend.core.db.pagination import Page, Window
from backend.core.errors import Invalid, NotFound, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.professionals import offering
from backend.domain.search import queries
from backend.domain.tasks import queries as tasks
from backend.domain.tasks import synonyms
from backend.domain.tasks.models import Synonym

RESULT: Final = schemas.SearchResult()
PROFILE_FIELDS: Final = ("id", "firstname", "compname", "exp", "rating", "reviews", "distance_km")


def result_body(found: queries.Found) -> bytes:
    """Return the response body, joined from parts that the database returns as JSON."""
    cursor = f'"{found.next_cursor}"'.encode() if found.next_cursor else b"null"
    parts = (found.items, b',"categories":', found.categories, b',"near":', found.near, b',"next_cursor":', cursor)
    return b'{"items":' + b"".join(parts) + b"}"


class Search(Resource):
    @endpoint(
        summary="Search tasks",
        who=ANYONE,
        query=schemas.SearchFilter(),
        response=RESULT,
        errors=(Invalid,),
    )
    def get(self, _: Actor | None, *, query: schemas.SearchFilterData) -> Response:
        """Tolerates typos. With a place given, only tasks that are available there are returned."""
        window = Window(query["limit"], query["cursor"])
        criteria = queries.Criteria(
            q=query["q"],
            location=query["location"],
            pincode=query["pincode"],
            radius_km=query["radius_km"],
            category=query["category"],
            max_price=query["max_price"],
            min_rating=query["min_rating"],
            sort=query["sort"],
        )

        def search() -> Rendered:
            return Rendered(result_body(queries.run(criteria, window=window)))

        return public("search", search)


class TaskProfessionals(Resource):
    @endpoint(
        summary="List professionals for a task",
        who=CUSTOMERS_AND_ADMINS,
        query=schemas.OfferedFilter(),
        response=schemas.PublicProfile(),
        paged=True,
        errors=(NotFound, Invalid),
    )
    def get(self, actor: Actor, *, task_id: int, query: schemas.OfferedFilterData) -> Page[JsonObject]:
        """Nearest first if a pincode is given, otherwise highest rated first; favourites come before others.

        Professionals with whom the customer is not matched again are left out.
        """
        tasks.one(actor, task_id=task_id)
        window = Window(query["limit"], query["cursor"])
        page = offering.page(
            task_id=task_id,
            pincode=query["pincode"],
            radius_km=query["radius_km"],
            window=window,
            customer_id=actor.account_id if actor.role is Role.CUSTOMER else None,
        )
        return Page([present_professional(row) for row in page.items], page.next_cursor)


def present_professional(row: offering.OfferingProfessional) -> JsonObject:
    """Return a professional as customers see one in a list."""
    shown = {name: getattr(row, name) for name in PROFILE_FIELDS}
    return shown | {"photo_url": photo_path(row.id, row.photo), "favourite": int(row.favourite)}


def present(group: Synonym) -> JsonObject:
    """Return a synonym group as a response body."""
    return {
        "id": group.id,
        "phrases": group.phrases,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }


class SynonymGroups(Resource):
    @endpoint(
        summary="List synonyms",
        who=ADMINS,
        query=Paging(),
        response=schemas.Synonyms(),
        paged=True,
    )
    def get(self, _: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Oldest first."""
        page = synonyms.page(window=Window(query["limit"], query["cursor"]))
        return Page([present(group) for group in page.items], page.next_cursor)

    @endpoint(
        summary="Create a synonym group",
        who=ADMINS,
        body=schemas.SynonymsEdit(),
        response=schemas.Synonyms(),
        status=201,
        errors=(Invalid,),
    )
    def post(self, actor: Actor, *, body: schemas.SynonymsEditData) -> ApiResponse:
        """Takes effect immediately."""
        group = synonyms.create(actor, phrases=body["phrases"])
        return ApiResponse(present(group), headers={"Location": f"/synonyms/{group.id}"}, version=group.version)


class SynonymGroup(Resource):
    @endpoint(summary="Get a synonym group", who=ADMINS, response=schemas.Synonyms(), errors=(NotFound,))
    def get(self, _: Actor, *, synonym_id: int) -> ApiResponse:
        """Send the ETag as If-Match when updating or deleting the group."""
        group = synonyms.get(synonym_id)
        return ApiResponse(present(group), version=group.version)

    @endpoint(
        summary="Update a synonym group",
        who=ADMINS,
        body=schemas.SynonymsEdit(),
        response=schemas.Synonyms(),
        errors=(NotFound, Stale, Invalid),
    )
    def put(self, actor: Actor, *, synonym_id: int, body: schemas.SynonymsEditData) -> ApiResponse:
        """Takes effect immediately."""
        group = synonyms.edit(
            actor, synonym_id=synonym_id, phrases=body["phrases"], expected_version=expected_version()
        )
        return ApiResponse(present(group), version=group.version)

    @endpoint(summary="Delete a synonym group", who=ADMINS, status=204, errors=(NotFound, Stale))
    def delete(self, actor: Actor, *, synonym_id: int) -> None:
        """Tasks are not affected."""
        synonyms.remove(actor, synonym_id=synonym_id, expected_version=expected_version())

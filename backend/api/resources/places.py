"""Places, for autocompletion by pincode or name."""

from typing import Final

from flask import Response

from backend.api.auth import ANYONE
from backend.api.endpoint import Resource, endpoint
from backend.api.response_cache import public
from backend.api.responses import to_json
from backend.api.schemas import places as schemas
from backend.core.cache import Rendered
from backend.core.db.pagination import Window
from backend.core.security.authz import Actor
from backend.domain.places import queries

FIELDS: Final = ("pincode", "locality", "district", "state")


class Places(Resource):
    @endpoint(summary="Search places", who=ANYONE, query=schemas.PlaceFilter(), response=schemas.Place(), paged=True)
    def get(self, _: Actor | None, *, query: schemas.PlaceFilterData) -> Response:
        """By pincode, or by the start of a locality, district or state name. Data: India Post (GODL-India)."""

        def render() -> Rendered:
            page = queries.page(q=query["q"], window=Window(query["limit"], query["cursor"]))
            items = [{name: getattr(row, name) for name in FIELDS} for row in page.items]
            return Rendered(to_json({"items": items, "next_cursor": page.next_cursor}))

        return public("places", render)

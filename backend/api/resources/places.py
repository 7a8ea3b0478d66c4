"""Places: typing ahead by pincode or name."""

from typing import Any, Final

from flask import Response

from backend.api.auth import ANYONE
from backend.api.endpoint import Resource, endpoint
from backend.api.response_cache import public, validate_response
from backend.api.responses import to_json
from backend.api.schemas import places as schemas
from backend.core.cache import Rendered
from backend.core.db.pagination import Window
from backend.core.security.authz import Actor
from backend.domain.places import queries

NAMES: Final = ("pincode", "locality", "district", "state")


class Places(Resource):
    @endpoint(summary="Search places", who=ANYONE, query=schemas.PlaceFilter(), response=schemas.Place(), paged=True)
    def get(self, _: Actor | None, *, query: dict[str, Any]) -> Response:
        """By pincode, or by the start of a locality, district or state name. Data: India Post (GODL-India)."""

        def places() -> Rendered:
            found = queries.page(q=query["q"], window=Window(query["limit"], query["cursor"]))
            items = [{name: getattr(row, name) for name in NAMES} for row in found.items]
            return Rendered(
                validate_response(schemas.Place(), to_json({"items": items, "next_cursor": found.next_cursor}))
            )

        return public("places", places)

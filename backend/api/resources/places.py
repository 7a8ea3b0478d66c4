"""Places: typing ahead by pincode or name."""

from typing import Any

from backend.api.access import ANYONE
from backend.api.base import Resource, endpoint
from backend.api.schemas import places as schemas
from backend.core.authz import Actor
from backend.core.pagination import Page, Window
from backend.domain.places import queries


class Places(Resource):
    @endpoint(summary="Find a place", who=ANYONE, query=schemas.PlaceFilter(), response=schemas.Place(), paged=True)
    def get(self, _: Actor | None, *, query: dict[str, Any]) -> Page[dict[str, str]]:
        """By pincode, or by the beginning of the name of a locality, district or state (India Post, GODL-India)."""
        found = queries.page(q=query["q"], window=Window(query["limit"], query["cursor"]))
        rows = [
            {"pincode": row.pincode, "locality": row.locality, "district": row.district, "state": row.state}
            for row in found.items
        ]
        return Page(rows, found.next_cursor)

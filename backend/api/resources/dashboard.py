"""The dashboard's statistics."""

from typing import Final

from flask import Response

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import JSON, PRIVATE, tag_response, to_json
from backend.api.schemas import dashboard as schemas
from backend.core import cache
from backend.core.cache import Rendered
from backend.core.errors import Invalid
from backend.core.security.authz import Actor
from backend.domain.dashboard import queries

FRESH_SECONDS: Final = 8  # at most ten with the cache's jitter


class Stats(Resource):
    @endpoint(
        summary="Get dashboard statistics",
        who=ADMINS,
        query=schemas.StatsQuery(),
        response=schemas.Stats(),
        errors=(Invalid,),
    )
    def get(self, _: Actor, *, query: schemas.StatsQueryData) -> Response:
        """Items awaiting an admin, and activity in a date range. At most ten seconds old."""

        def make() -> Rendered:
            return Rendered(to_json(queries.statistics(**query)))

        dates = f"{query['first']}..{query['last']}"
        cached = cache.response_cache().get("stats", dates, make, seconds=FRESH_SECONDS, expensive=True)
        response = Response(cached.body, mimetype=JSON)
        response.headers["Cache-Control"] = PRIVATE
        tag_response(response, cached.etag)
        return response

"""The dashboard's statistics."""

from typing import Final

from flask import Response, request

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.response_cache import validate_response
from backend.api.responses import JSON, PRIVATE, to_json
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
            return Rendered(validate_response(schemas.Stats(), to_json(queries.statistics(**query))))

        dates = f"{query['first']}..{query['last']}"
        cached = cache.response_cache().get("stats", dates, make, seconds=FRESH_SECONDS, expensive=True)
        response = Response(cached.body, mimetype=JSON)
        response.set_etag(cached.etag)
        response.headers["Cache-Control"] = PRIVATE
        response.make_conditional(request)
        return response

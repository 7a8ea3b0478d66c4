"""The dashboard's figures."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.schemas import stats as schemas
from backend.core.authz import Actor
from backend.core.errors import Invalid
from backend.domain.dashboard import queries


class Stats(Resource):
    @endpoint(
        summary="Figures for the dashboard",
        who=ADMINS,
        query=schemas.Span(),
        response=schemas.Stats(),
        errors=(Invalid,),
    )
    def get(self, _: Actor, *, query: dict[str, Any]) -> dict[str, Any]:
        """What waits for an admin, and how the market is doing in a span of days; at most ten seconds old."""
        return queries.figures(**query)

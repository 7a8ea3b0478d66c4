"""The audit trail, which can be read and searched."""

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import JsonObject
from backend.api.schemas import audit as schemas
from backend.core.config import current_settings
from backend.core.db import date_range, pagination
from backend.core.db.pagination import Page
from backend.core.security.authz import Actor
from backend.domain.audit import queries


class Audit(Resource):
    @endpoint(summary="List audit entries", who=ADMINS, query=schemas.Trail(), response=schemas.Entry(), paged=True)
    def get(self, _: Actor, *, query: schemas.TrailData) -> Page[JsonObject]:
        """Newest first.

        Each entry records the actor, action, subject, time and IP address, with the values before and after.
        """
        filters = queries.AuditFilters(
            actor_id=query["actor_id"],
            subject_id=query["subject_id"],
            subject_kind=query["subject_kind"],
            action=query["action"],
            dates=date_range.date_range(query["from_"], query["to"], zone=current_settings().zone),
            changes_only=bool(query["changes_only"]),
        )
        return queries.page(filters=filters, window=pagination.Window(query["limit"], query["cursor"]))

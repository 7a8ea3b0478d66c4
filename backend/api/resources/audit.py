"""The audit trail, which can be read and searched."""

from typing import Any

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.schemas import audit as schemas
from backend.core.config import current_settings
from backend.core.db import date_range, pagination
from backend.core.db.pagination import Page
from backend.core.security.authz import Actor
from backend.domain.audit import queries


class Audit(Resource):
    @endpoint(summary="List audit entries", who=ADMINS, query=schemas.Trail(), response=schemas.Entry(), paged=True)
    def get(self, _: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Newest first.

        Each entry records the actor, action, subject, time and IP address, with the values before and after.
        """
        window = pagination.Window(query.pop("limit"), query.pop("cursor"))
        span = date_range.date_range(query.pop("from_"), query.pop("to"), zone=current_settings().zone)
        changes_only = bool(query.pop("changes_only"))
        filters = queries.AuditFilters(**query, span=span, changes_only=changes_only)
        return queries.page(filters=filters, window=window)

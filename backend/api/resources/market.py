"""The market's settings over HTTP, and what is special to one task."""

from typing import Any

from backend.api.auth import ACTIVE, ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, expected_version, replacing, whole
from backend.api.schemas import market as schemas
from backend.core.config import current_settings
from backend.core.errors import Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.market import settings
from backend.domain.task_requests import policies


def reply(market: settings.MarketSettings) -> ApiResponse:
    """The settings on the wire, with what the environment fixed, and the version that If-Match can name."""
    body = {
        **market.as_dict(),
        "timezone": current_settings().market_timezone,
        "currency": current_settings().market_currency,
    }
    return ApiResponse(body, version=settings.version_of(market))


def policy(actor: Actor, task_id: int) -> dict[str, Any]:
    """Return what holds for a task that the actor may see, and which of it is its own."""
    own = policies.own_of_task(actor, task_id=task_id)
    return {**policies.for_task(task_id).as_dict(), "own": own}


class MarketSettings(Resource):
    @endpoint(summary="Get the settings", who=ADMINS, response=schemas.MarketSettings())
    def get(self, _: Actor) -> ApiResponse:
        """All settings with their current values."""
        return reply(settings.get())

    @endpoint(
        summary="Update the settings",
        who=ADMINS,
        body=schemas.SettingsEdit(),
        response=schemas.MarketSettings(),
        errors=(Invalid, Stale),
    )
    def patch(self, actor: Actor, *, body: dict[str, Any]) -> ApiResponse:
        """Takes effect immediately and is recorded in the audit trail.

        Send If-Match to avoid overwriting concurrent changes.
        """
        return reply(settings.change(actor, changes=body, expected_version=expected_version()))


class TaskPolicy(Resource):
    @endpoint(
        summary="Get the policy of a task",
        who=ACTIVE,
        response=schemas.EffectivePolicy(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, task_id: int) -> ApiResponse:
        """The minimum notice and the free cancellation period, among others."""
        return whole(policy(actor, task_id))

    @endpoint(
        summary="Update the policy of a task",
        who=ADMINS,
        body=schemas.TaskPolicy(),
        response=schemas.EffectivePolicy(),
        errors=(NotFound, Invalid, Stale),
    )
    def put(self, actor: Actor, *, task_id: int, body: dict[str, Any]) -> ApiResponse:
        """Replaces all four values. null means that the general setting applies."""
        replacing(lambda: policy(actor, task_id), hold=lambda: policies.hold(task_id))
        policies.change(actor, task_id=task_id, values=body)
        return whole(policy(actor, task_id))

"""The marketplace's settings, and the policies of single tasks."""

from backend.api.auth import ACTIVE, ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, expected_version, lock_and_check, versioned_by_content
from backend.api.schemas import market as schemas
from backend.core.config import current_settings
from backend.core.errors import Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.market import settings
from backend.domain.task_requests import policies


def settings_response(market: settings.MarketSettings) -> ApiResponse:
    """Return the settings, with those that the environment fixes, and their version."""
    body = {
        **market.as_dict(),
        "timezone": current_settings().market_timezone,
        "currency": current_settings().market_currency,
    }
    return ApiResponse(body, version=settings.version_of(market))


def policy(actor: Actor, task_id: int) -> JsonObject:
    """Return the effective policy of a task that the actor may see, and the values set for the task itself."""
    own = policies.get_own(actor, task_id=task_id)
    return {**policies.for_task(task_id).as_dict(), "own": own}


class MarketSettings(Resource):
    @endpoint(summary="Get the settings", who=ADMINS, response=schemas.MarketSettings())
    def get(self, _: Actor) -> ApiResponse:
        """All settings with their current values."""
        return settings_response(settings.get())

    @endpoint(
        summary="Update the settings",
        who=ADMINS,
        body=schemas.SettingsEdit(),
        response=schemas.MarketSettings(),
        errors=(Invalid, Stale),
    )
    def patch(self, actor: Actor, *, body: settings.SettingsChanges) -> ApiResponse:
        """Takes effect immediately and is recorded in the audit trail.

        Send If-Match to avoid overwriting concurrent changes.
        """
        return settings_response(settings.change(actor, changes=body, expected_version=expected_version()))


class TaskPolicy(Resource):
    @endpoint(
        summary="Get the policy of a task",
        who=ACTIVE,
        response=schemas.EffectivePolicy(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, task_id: int) -> ApiResponse:
        """The minimum notice and the free cancellation period, among others."""
        return versioned_by_content(policy(actor, task_id))

    @endpoint(
        summary="Update the policy of a task",
        who=ADMINS,
        body=schemas.TaskPolicy(),
        response=schemas.EffectivePolicy(),
        errors=(NotFound, Invalid, Stale),
    )
    def put(self, actor: Actor, *, task_id: int, body: schemas.TaskPolicyData) -> ApiResponse:
        """Replaces all values. null means that the general setting applies."""
        lock_and_check(lambda: policy(actor, task_id), lock=lambda: policies.lock(task_id))
        values: policies.OwnSettings = {
            "answer_within_minutes": body["answer_within_minutes"],
            "min_notice_minutes": body["min_notice_minutes"],
            "free_cancel_minutes": body["free_cancel_minutes"],
            "travel_buffer_minutes": body["travel_buffer_minutes"],
            "start_code": body["start_code"],
        }
        policies.change(actor, task_id=task_id, values=values)
        return versioned_by_content(policy(actor, task_id))

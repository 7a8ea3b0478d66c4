"""Liveness, readiness, and metrics for Prometheus."""

from typing import Final

from flask import Response, current_app, request
from marshmallow import fields, validate

from backend.api.auth import PROBES
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas.common import Strict
from backend.core.config import current_settings
from backend.core.errors import Forbidden
from backend.core.observability import metrics
from backend.core.observability.health import Health
from backend.core.observability.metrics_access import MetricsAccess
from backend.core.security.authz import Actor
from backend.domain.dashboard import table_metrics

RETRY_AFTER_SECONDS: Final = "2"


class Alive(Strict):
    """The web server responds."""

    status = fields.String(required=True, validate=validate.Equal("alive"))


class PartState(Strict):
    """``age``: seconds since the component last proved that it works."""

    state = fields.String(required=True, validate=validate.OneOf(["up", "starting", "down"]))
    age = fields.Float(required=True, allow_none=True)


class Readiness(Strict):
    """``degraded``: an optional component is unavailable. ``unavailable``, ``draining``: send no requests here."""

    status = fields.String(required=True, validate=validate.OneOf(["ready", "degraded", "unavailable", "draining"]))
    detail = fields.String(metadata={"description": "Names the unavailable components, if any."})
    database = fields.Nested(PartState, required=True)
    migrations = fields.Nested(PartState, required=True)
    cache = fields.Nested(PartState, required=True)
    broker = fields.Nested(PartState, required=True)
    workers = fields.Nested(PartState, required=True)
    events = fields.Nested(
        PartState, metadata={"description": "The process of live updates, where this server knows one."}
    )
    bodies = fields.Nested(
        PartState, required=True, metadata={"description": "down: the server is rejecting request bodies"}
    )


class Healthz(Resource):
    @endpoint(summary="Check liveness", who=PROBES, response=Alive())
    def get(self, _: Actor | None) -> ApiResponse:
        """Has no dependencies: a failed database is no reason to restart the web server."""
        return ApiResponse({"status": "alive"}, cache_control="no-store")


class Readyz(Resource):
    @endpoint(summary="Check readiness", who=PROBES, response=Readiness(), also=(503,))
    def get(self, _: Actor | None) -> ApiResponse:
        """503 only if a required component (the database or a migration) is missing, or the server is shutting down."""
        health: Health = current_app.extensions["health"]
        parts = health.parts()
        shown: JsonObject = {name: {"state": part.state, "age": part.age} for name, part in parts.items()}
        status = health.status(parts)
        body: JsonObject = {"status": status, **shown}
        if status != "ready":
            missing = ", ".join(name for name, part in parts.items() if not part.up)
            why = "".join(f" {part.problem}." for part in parts.values() if part.problem)
            body["detail"] = (
                "The web server is shutting down." if status == "draining" else f"Unavailable: {missing}.{why}"
            )
        if status in ("ready", "degraded"):
            return ApiResponse(body, cache_control="no-store")
        return ApiResponse(body, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS}, cache_control="no-store")


class Metrics(Resource):
    @endpoint(summary="Get Prometheus metrics", who=PROBES, media_type="text/plain", errors=(Forbidden,))
    def get(self, _: Actor | None) -> Response:
        """Available only to the networks in METRICS_FROM (this machine by default), and never through a proxy."""
        access = MetricsAccess(current_settings())
        if not access.allows(request.remote_addr or "", request.headers):
            raise Forbidden(
                "Metrics are available only to the networks in METRICS_FROM, and not through a proxy.",
                code="not_local",
            )
        present = [_parts(), *table_metrics.collect()]
        response = Response(metrics.exposition(present), content_type=metrics.CONTENT_TYPE)
        response.headers["Cache-Control"] = "no-store"
        return response


def _parts() -> metrics.Metric:
    health: Health = current_app.extensions["health"]
    up = {name: float(part.up) for name, part in health.parts().items()}
    return metrics.gauges("part_up", "Whether each component is up (1) or down (0)", "part", up)

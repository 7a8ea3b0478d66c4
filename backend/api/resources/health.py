"""Liveness, readiness, and metrics for Prometheus."""

import ipaddress
from typing import Final

from flask import Response, current_app, request
from marshmallow import fields, validate
from sqlalchemy.exc import SQLAlchemyError

from backend.api.auth import PROBES
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas.common import Strict
from backend.core.db.session import db
from backend.core.errors import Forbidden
from backend.core.observability import metrics
from backend.core.observability.health import Health
from backend.core.queue import admin
from backend.core.queue.admin import backlog
from backend.core.security.authz import Actor
from backend.settings import Settings

RUN_COUNTS: Final = {"sent": "sent", "failed": "failed to send", "skipped": "skipped"}
RETRY_AFTER_SECONDS: Final = "2"
FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


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
        """Available only from the same machine, unless METRICS_OPEN is on."""
        settings: Settings = current_app.extensions["settings"]
        if not (settings.metrics_open or _from_this_machine()):
            raise Forbidden(
                "Metrics are available only from this machine. Set METRICS_OPEN to allow other clients.",
                code="not_local",
            )
        response = Response(metrics.exposition([_parts(), *_jobs()]), content_type=metrics.CONTENT_TYPE)
        response.headers["Cache-Control"] = "no-store"
        return response


def _from_this_machine() -> bool:
    """Return whether the client is on this machine. Forwarded requests do not count: a local proxy hides the client."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _parts() -> metrics.Metric:
    health: Health = current_app.extensions["health"]
    up = {name: float(part.up) for name, part in health.parts().items()}
    return metrics.gauges("part_up", "Whether each component is up (1) or down (0)", "part", up)


def _jobs() -> list[metrics.Metric]:
    try:
        queue = backlog()
        last = {entry.row.name: entry.last_run for entry in admin.schedule_entries() if entry.last_run}
    except SQLAlchemyError:  # the other metrics matter most while the database is unavailable
        db.session.rollback()
        return []
    return [
        metrics.gauge("jobs_waiting", "Jobs waiting or running", queue.waiting),
        metrics.gauge("jobs_dead", "Jobs that failed permanently", queue.dead),
        metrics.gauge("jobs_oldest_seconds", "Seconds that the oldest due job has been waiting", queue.oldest_seconds),
        metrics.gauges(
            "job_last_run_timestamp_seconds",
            "Unix time of the last start of each scheduled job",
            "job",
            {name: run.created_at.timestamp() for name, run in last.items()},
        ),
        *(
            metrics.gauges(f"job_last_run_{field}", f"Number of messages that the last run {about}", "job", counts)
            for field, about in RUN_COUNTS.items()
            if (counts := {name: float(getattr(run, field)) for name, run in last.items()})
        ),
    ]

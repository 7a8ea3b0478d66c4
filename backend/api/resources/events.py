"""Live updates as server-sent events."""

from flask import Response, request

from backend.api import auth, event_relay
from backend.api.auth import SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import JsonObject
from backend.api.schemas import events as schemas
from backend.core.errors import Unavailable
from backend.core.observability import trace_context
from backend.core.security.authz import Actor

EVENT_STREAM = "text/event-stream"
PASSED_ON = ("Authorization", "Last-Event-ID", trace_context.HEADER)


class Events(Resource):
    @endpoint(
        summary="Follow changes",
        who=SIGNED_IN,
        media_type=EVENT_STREAM,
        errors=(Unavailable, event_relay.TooManyStreams),
    )
    def get(self, _: Actor) -> Response:
        """A stream of server-sent events (HTML Living Standard, 9.2) about what the caller may see.

        The data of each event is an object with `topic`, `id` and `version`: what changed, not how. Read it again by
        its own call. `id` and `version` are null when several objects of the topic changed. The topic `resync` means
        that events were missed: read again whatever is shown. The stream ends when the access token expires and when
        the session ends; come back with a new token after the time in `retry`, with the last `id` as `Last-Event-ID`.
        """
        if request.method == "HEAD":
            return Response(mimetype=EVENT_STREAM)
        sent = {name: request.headers.get(name) for name in PASSED_ON}
        known = {name: value for name, value in sent.items() if value is not None}
        return event_relay.response({**known, "X-Forwarded-For": request.remote_addr or "unknown"})


class EventAccess(Resource):
    @endpoint(summary="Check who may follow changes", who=SIGNED_IN, response=schemas.EventAccess())
    def get(self, actor: Actor) -> JsonObject:
        """Whom a stream of events would belong to, and until when: for the process that holds the streams."""
        return {
            "account_id": actor.account_id,
            "role": actor.role.value,
            "session_id": actor.session_id,
            "expires_at": auth.token_expiry(),
        }

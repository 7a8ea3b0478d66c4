"""The contract as the program serves it."""

from flask import Response, current_app

from backend.api import openapi
from backend.api.access import PROBES
from backend.api.base import Resource, endpoint
from backend.api.wire import tag_response
from backend.core.authz import Actor


class OpenApi(Resource):
    @endpoint(summary="This document", who=PROBES, media_type="application/json")
    def get(self, _: Actor | None) -> Response:
        """OpenAPI 3.1, complete and true."""
        data = current_app.extensions.get("openapi")
        if data is None:
            data = current_app.extensions["openapi"] = openapi.render(current_app)
        answer = Response(data, mimetype="application/json")
        answer.headers["Cache-Control"] = "public, max-age=60"
        tag_response(answer, data, None)
        return answer

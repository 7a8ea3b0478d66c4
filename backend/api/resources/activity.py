"""The activity of a request, for admins: as JSON, or as a PDF of evidence."""

from dataclasses import asdict
from typing import Final

from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from backend.api import language
from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.documents import HEADERS
from backend.api.responses import JsonObject
from backend.api.schemas import activity as schemas
from backend.core import pdf
from backend.core.errors import NotFound, Unavailable
from backend.core.security.authz import Actor
from backend.domain.activity import evidence, queries
from backend.domain.activity.queries import Activity

JSON, PDF = "application/json", "application/pdf"
FORMATS: Final = "The activity of a request is available as application/json and application/pdf."


class RequestActivity(Resource):
    @endpoint(
        summary="Get the activity of a request",
        who=ADMINS,
        response=schemas.ActivityOfRequest(),
        errors=(NotFound, Unavailable),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject | Response:
        """JSON or PDF, depending on Accept. History, visit, reported messages, messages sent, and the review.

        Both are recorded in the audit trail; a PDF with the digest that is printed in it.
        """
        accepted = request.accept_mimetypes
        wanted = accepted.best_match([JSON, PDF]) if accepted else JSON
        if wanted is None:
            raise NotAcceptable(FORMATS)
        activity = queries.of_request(actor, request_id=request_id)
        if wanted == PDF:
            return _file(actor, activity, language.of_reader(actor))
        queries.record_view(actor, activity)
        return {
            "request_id": request_id,
            "items": [asdict(entry) for entry in activity.entries],
            "unreported_messages": activity.unreported_messages,
            "sha256": activity.sha256,
        }


def _file(actor: Actor, activity: Activity, reader: str) -> Response:
    data = evidence.document(activity, made_by=queries.maker(actor), language=reader)
    # All was read without a transaction: none is open, and no connection held, while the file is made.
    content = pdf.render("document", data, made_at=activity.read_at)
    queries.record_evidence(actor, activity)
    response = Response(content, mimetype=PDF, headers=HEADERS)
    name = f"request-{activity.row.request.id}-activity.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Language"] = reader
    response.vary.add("Accept-Language")
    return response

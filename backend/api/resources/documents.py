"""A professional's document: handed in by its owner, looked at by owner and admins, by nobody else."""

from typing import Any
from urllib.parse import quote

from flask import Response

from backend.api.access import ADMINS, PENDING_PROFESSIONALS
from backend.api.base import Resource, endpoint
from backend.api.resources.accounts import present, upload
from backend.api.schemas import accounts as account_schemas
from backend.api.schemas import documents as schemas
from backend.api.wire import Reply, expected_version
from backend.core.authz import Actor
from backend.core.errors import NotFound, Stale, TooLarge, Unavailable, UnsupportedType
from backend.domain.accounts import actions as accounts
from backend.domain.documents import queries as documents
from backend.domain.documents.models import Document
from backend.domain.professionals import actions, queries

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


def as_file(document: Document) -> Response:
    """The document as an attachment: nothing in it runs in the market's origin."""
    response = Response(documents.content(document), mimetype=document.content_type, headers=HEADERS)
    plain = document.filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(document.filename, safe='')}"
    )
    return response


def as_page(document: Document, page: int) -> Response:
    """One page drawn as a picture, to be shown beside the decision."""
    response = Response(documents.page_image(document, page=page), mimetype="image/png", headers=HEADERS)
    response.headers["Content-Disposition"] = f'inline; filename="page-{page}.png"'
    return response


class MyDocument(Resource):
    @endpoint(
        summary="Hand in the document, or another one",
        who=PENDING_PROFESSIONALS,
        form=schemas.Document(),
        response=account_schemas.Account(),
        errors=(TooLarge, UnsupportedType, Unavailable, Stale),
    )
    def put(self, actor: Actor, *, form: dict[str, Any]) -> Reply:
        """PDF, PNG or JPEG, told by its content. The approval is pending afterwards, whatever it was."""
        account = accounts.touch(actor.account_id, expected_version=expected_version())
        actions.hand_in(actor, document=upload(form["document"]))
        return Reply(present(account), version=account.version)

    @endpoint(
        summary="One's own document",
        who=PENDING_PROFESSIONALS,
        query=schemas.Page(),
        media_type="application/pdf, image/png, image/jpeg",
        errors=(NotFound, Unavailable),
    )
    def get(self, actor: Actor, *, query: dict[str, Any]) -> Response:
        """The file as it is kept, or one page of it as PNG."""
        return answer(actor.account_id, query["page"])


class ProfessionalDocument(Resource):
    @endpoint(
        summary="A professional's document",
        who=ADMINS,
        query=schemas.Page(),
        media_type="application/pdf, image/png, image/jpeg",
        errors=(NotFound, Unavailable),
    )
    def get(self, _: Actor, professional_id: int, *, query: dict[str, Any]) -> Response:
        """The file as it is kept, or one page of it as PNG."""
        queries.trade(professional_id)
        return answer(professional_id, query["page"])


def answer(account_id: int, page: int | None) -> Response:
    """The file, or a page of it. Raises NotFound where there is none."""
    document = documents.require(account_id)
    return as_file(document) if page is None else as_page(document, page)

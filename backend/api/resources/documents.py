"""Professionals' documents: uploaded by their owners, visible to them and to admins."""

from urllib.parse import quote

from flask import Response, request

from backend.api.auth import ADMINS, PENDING_PROFESSIONALS
from backend.api.document_upload import received
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.accounts import present
from backend.api.responses import ApiResponse, expected_version
from backend.api.schemas import accounts as account_schemas
from backend.api.schemas import documents as schemas
from backend.core.errors import NotFound, Stale, TooLarge, Unavailable, UnsupportedType
from backend.core.security.authz import Actor
from backend.core.storage import FileMissing
from backend.domain.audit.actions import record_read
from backend.domain.documents import capacity
from backend.domain.documents import queries as documents
from backend.domain.professionals import actions, queries

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


def as_file(document: documents.Document) -> Response:
    """Return the document as an attachment, so that browsers do not run its content in this origin."""
    response = Response(documents.content(document), mimetype=document.content_type, headers=HEADERS)
    plain = document.filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(document.filename, safe='')}"
    )
    response.set_etag(document.sha256)
    return response


def as_page(document: documents.Document, page: int, *, owner_id: int | None) -> Response:
    """Return one page as PNG. The ETag identifies the document and the page."""
    tag = f"{document.sha256}-{page}"
    if page <= document.pages and request.if_none_match.contains_weak(tag):
        response = Response(status=304, headers=HEADERS)
    else:
        image = documents.page_image(document, page=page, owner_id=owner_id)
        response = Response(image, mimetype="image/png", headers=HEADERS)
        response.headers["Content-Disposition"] = f'inline; filename="page-{page}.png"'
    response.set_etag(tag)
    return response


class MyDocument(Resource):
    @endpoint(
        summary="Upload or replace my document",
        who=PENDING_PROFESSIONALS,
        form=schemas.Document(),
        response=account_schemas.Account(),
        errors=(TooLarge, UnsupportedType, Unavailable, Stale, capacity.InspectionRunning),
        rate_limit="document_rate_limit",
    )
    def put(self, actor: Actor, *, form: schemas.DocumentData) -> ApiResponse:
        """Accepts PDF, PNG or JPEG, detected from the content. The approval status becomes pending.

        Uploads are processed one at a time per account; a second concurrent upload gets 429 ``inspection_running``.
        """
        with capacity.current().upload_of(actor.account_id), received(form["document"]) as stored:
            account = actions.submit_document(actor, document=stored, expected_version=expected_version())
            return ApiResponse(present(account), version=account.version)

    @endpoint(
        summary="Get my document",
        who=PENDING_PROFESSIONALS,
        query=schemas.Page(),
        media_type="application/pdf, image/png, image/jpeg",
        errors=(NotFound, Unavailable, FileMissing, capacity.InspectionRunning),
        headers=("ETag",),
    )
    def get(self, actor: Actor, *, query: schemas.PageData) -> Response:
        """Returns the stored file, or one page of it as PNG with ``page``."""
        return document_response(actor.account_id, query["page"], owner_id=actor.account_id)


class ProfessionalDocument(Resource):
    @endpoint(
        summary="Get a professional's document",
        who=ADMINS,
        query=schemas.Page(),
        media_type="application/pdf, image/png, image/jpeg",
        errors=(NotFound, Unavailable, FileMissing),
        headers=("ETag",),
    )
    def get(self, actor: Actor, professional_id: int, *, query: schemas.PageData) -> Response:
        """Returns the stored file, or one page of it as PNG with ``page`` (ETag "<sha256>-<page>")."""
        queries.profile(professional_id)
        response = document_response(professional_id, query["page"])
        record_read(actor, "document_viewed", subject_id=professional_id)
        return response


def document_response(account_id: int, page: int | None, *, owner_id: int | None = None) -> Response:
    """Return the file, or one page of it. Raises NotFound if there is none."""
    document = documents.require(account_id)
    return as_file(document) if page is None else as_page(document, page, owner_id=owner_id)

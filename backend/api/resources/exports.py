"""Exports: start, poll, download and cancel."""

from contextlib import ExitStack

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import exports as schemas
from backend.core import storage
from backend.core.db.pagination import Page, Window
from backend.core.errors import Invalid, NotFound
from backend.core.security.authz import Actor
from backend.domain.exports import actions, compression, queries
from backend.domain.exports.errors import Expired, Failed, NotReady, NotRunning
from backend.domain.exports.models import Export

POLL_SECONDS = "1"


def present(export: Export) -> JsonObject:
    """Return an export as a response body."""
    return {
        "id": export.id,
        "status": export.status,
        "progress": queries.progress(export),
        "rows": export.rows,
        "professional_id": export.professional_id,
        "from": export.span_from,
        "to": export.span_to,
        "requested_by": export.requested_by,
        "created_at": export.created_at,
        "started_at": export.started_at,
        "finished_at": export.finished_at,
        "expires_at": export.expires_at,
        "size": export.size,
        "sha256": export.sha256,
        "failure": export.failure,
        "download_url": f"/exports/{export.id}/download" if queries.is_available(export) else None,
    }


class Exports(Resource):
    @endpoint(
        summary="Start a CSV export of closed requests",
        who=ADMINS,
        body=schemas.NewExport(),
        body_required=False,
        response=schemas.Export(),
        status=202,
        errors=(Invalid,),
        headers=("Location", "Retry-After"),
        idempotent=True,
    )
    def post(self, actor: Actor, *, body: schemas.NewExportData) -> ApiResponse:
        """Runs in the background. Poll Location until the status is done or failed."""
        export = actions.ask(actor, **body)
        headers = {"Location": f"/exports/{export.id}", "Retry-After": POLL_SECONDS}
        return ApiResponse(present(export), headers=headers)

    @endpoint(summary="List exports", who=ADMINS, query=schemas.Exports(), response=schemas.Export(), paged=True)
    def get(self, _: Actor, *, query: schemas.ExportsData) -> Page[JsonObject]:
        """Newest first, including exports started by other admins."""
        page = queries.newest(Window(query["limit"], query["cursor"]), status=query["status"])
        return Page([present(export) for export in page.items], page.next_cursor)


class OneExport(Resource):
    @endpoint(summary="Get an export", who=ADMINS, response=schemas.Export(), errors=(NotFound,))
    def get(self, _: Actor, *, export_id: int) -> ApiResponse:
        """While the export is running, Retry-After gives the polling interval in seconds."""
        export = queries.get(export_id)
        waiting = export.status in actions.OPEN
        return ApiResponse(present(export), headers={"Retry-After": POLL_SECONDS} if waiting else {})


class CancelExport(Resource):
    @endpoint(
        summary="Cancel an export",
        who=ADMINS,
        response=schemas.Export(),
        errors=(NotFound, NotRunning),
    )
    def post(self, actor: Actor, *, export_id: int) -> JsonObject:
        """Only queued or running exports can be cancelled.

        The status becomes failed and any partial file is deleted.
        """
        return present(actions.cancel(actor, export_id=export_id))


class DownloadExport(Resource):
    @endpoint(
        summary="Download an export",
        who=ADMINS,
        media_type="text/csv",
        errors=(NotFound, NotReady, Failed, Expired, storage.StoreFailed),
        headers=("Content-Disposition", "Accept-Ranges", "Content-Encoding", "Vary"),
    )
    def get(self, actor: Actor, *, export_id: int) -> Response:
        """Supports Range requests, so interrupted downloads can be resumed. The ETag is the file's SHA-256 digest.

        Large files are sent with Content-Encoding: gzip to clients that accept it, with a separate ETag.
        """
        file = queries.file(export_id)
        actions.note_download(actor, export_id=export_id)
        return _send(file)


def _send(file: queries.File) -> Response:
    packed = file.packed_size is not None and _takes_packed(file)
    key, size = (compression.packed_key(file.key), file.packed_size or 0) if packed else (file.key, file.size)
    open_files = ExitStack()
    stream = open_files.enter_context(storage.exports().reading(key))
    response = Response(wrap_file(request.environ, stream), mimetype="text/csv")
    response.call_on_close(open_files.close)
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(_packed_tag(file) if packed else file.sha256)
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=size)
    except RequestedRangeNotSatisfiable:
        open_files.close()
        raise
    return response


def _packed_tag(file: queries.File) -> str:
    return f"{file.sha256}-gzip"


def _takes_packed(file: queries.File) -> bool:
    """Return whether to send the compressed copy. A range refers to it only if If-Range names its ETag."""
    if request.accept_encodings["gzip"] <= 0:
        return False
    return "Range" not in request.headers or request.if_range.etag == _packed_tag(file)

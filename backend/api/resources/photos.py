"""Photos of requests over HTTP: uploaded, listed, read and deleted by those concerned."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, cast

from flask import Response, request

from backend.api.auth import ACTIVE, CUSTOMERS_AND_PROFESSIONALS
from backend.api.document_upload import received_picture
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.documents import HEADERS
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import photos as schemas
from backend.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable, UnsupportedType
from backend.core.security.authz import Actor, Role
from backend.core.storage import FileMissing
from backend.domain.audit.actions import record_read
from backend.domain.conversations import access as conversations
from backend.domain.documents import capacity
from backend.domain.photos import actions, queries
from backend.domain.photos.access import MESSAGE, Phase
from backend.domain.photos.files import StoredPicture
from backend.domain.photos.queries import Photo

CONTENT_TYPE: Final = "image/webp"
UPLOAD_ERRORS: Final = (
    *(NotFound, Forbidden, Conflict, Invalid, TooLarge, UnsupportedType, Unavailable),
    capacity.InspectionRunning,
)


def present(photo: Photo) -> JsonObject:
    """Return a photo without its content."""
    return {
        "id": photo.id,
        "phase": photo.phase,
        "author_id": photo.author_id,
        "author_role": photo.author_role,
        "point": photo.point,
        "width": photo.width,
        "height": photo.height,
        "sha256": photo.sha256,
        "created_at": photo.created_at,
    }


@contextmanager
def received_upload(actor: Actor, arguments: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Check, inspect and store an upload before the transaction of the call begins."""
    form = cast("schemas.RequestPhotoUploadData", arguments["form"])
    actions.check(
        actor, request_id=cast("int", arguments["request_id"]), phase=Phase(form["phase"]), point=form["point"]
    )
    with capacity.current().upload_of(actor.account_id), received_picture(form["photo"]) as stored:
        yield {"stored": stored}


class Photos(Resource):
    @endpoint(
        summary="List the photos of a request",
        who=ACTIVE,
        response=schemas.RequestPhotos(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """In the order in which they were added. Both sides and admins see them.

        Professionals who can accept the request see those of the problem. Photos in messages are not included.
        """
        found = queries.of_request(actor, request_id=request_id)
        if actor.role is Role.ADMIN:
            record_read(actor, "request_photos_viewed", subject_id=request_id, subject_kind="request")
        return {
            "items": [present(photo) for photo in found.photos],
            "phases": [phase.value for phase in found.phases],
            "most": actions.MOST,
        }

    @endpoint(
        summary="Add a photo to a request",
        who=CUSTOMERS_AND_PROFESSIONALS,
        form=schemas.RequestPhotoUpload(),
        response=schemas.RequestPhoto(),
        status=201,
        errors=UPLOAD_ERRORS,
        headers=("Location",),
        idempotent=True,
        prepare=received_upload,
        rate_limit="photo_rate_limit",
    )
    def post(
        self, actor: Actor, *, request_id: int, form: schemas.RequestPhotoUploadData, stored: StoredPicture
    ) -> ApiResponse:
        """Customers add photos of the problem until the visit starts.

        The professional adds photos before and after the work while the request is accepted, and after the work until
        two days after completion. Up to 12 per phase. The content decides the type; the photo is kept as WebP without
        metadata, and its digest in the history.
        """
        photo = actions.add(
            actor, request_id=request_id, phase=Phase(form["phase"]), stored=stored, point=form["point"]
        )
        return ApiResponse(present(photo), headers={"Location": f"/photos/{photo.id}"})


class OnePhoto(Resource):
    @endpoint(
        summary="Get a photo of a request",
        who=ACTIVE,
        query=schemas.RequestPhotoSize(),
        media_type=CONTENT_TYPE,
        errors=(NotFound, Unavailable, FileMissing),
        headers=("ETag",),
    )
    def get(self, actor: Actor, *, photo_id: int, query: schemas.RequestPhotoSizeData) -> Response:
        """For all who see the photo in its list, or the message that it is in."""
        photo = queries.find(photo_id)
        if photo.phase == MESSAGE:
            conversations.check_sees_photo(actor, photo)
        else:
            queries.check_sees(actor, photo)
        if actor.role is Role.ADMIN:
            record_read(actor, "request_photos_viewed", subject_id=photo.request_id, subject_kind="request")
        return _as_picture(photo, is_thumb=query["size"] == "thumb")

    @endpoint(
        summary="Delete a photo of a request",
        who=CUSTOMERS_AND_PROFESSIONALS,
        status=204,
        errors=(NotFound, Forbidden, Conflict),
    )
    def delete(self, actor: Actor, *, photo_id: int) -> None:
        """Only the user who added it can do so, for as long as photos of its phase can be added."""
        actions.delete(actor, photo_id=photo_id)


def _as_picture(photo: Photo, *, is_thumb: bool) -> Response:
    tag = photo.thumb_sha256 if is_thumb else photo.sha256
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304, headers=HEADERS)
    else:
        data = queries.content(photo, is_thumb=is_thumb)
        response = Response(data, mimetype=CONTENT_TYPE, headers=HEADERS)
        response.headers["Content-Disposition"] = 'inline; filename="photo.webp"'
    response.set_etag(tag)
    return response

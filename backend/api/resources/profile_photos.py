"""Photos of public profiles: uploaded by their owners, decided on by admins, then visible to everyone."""

from typing import Final

from flask import Response, request

from backend.api.auth import ADMINS, ANYONE, PENDING_PROFESSIONALS
from backend.api.document_upload import received_photo
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.documents import HEADERS
from backend.api.resources.profiles import own_profile_response, present_photo
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import profiles as schemas
from backend.api.schemas.common import Reason, ReasonData
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, NotFound, TooLarge, Unavailable, UnsupportedType
from backend.core.security.authz import Actor
from backend.core.storage import FileMissing
from backend.domain.accounts import queries as accounts
from backend.domain.documents import capacity
from backend.domain.documents.photos import CONTENT_TYPE
from backend.domain.profiles import actions, photos
from backend.domain.profiles.photos import SubmittedPhoto

# A week: the URL names the content, but a photo that was removed should leave shared caches too.
IMMUTABLE: Final = "public, max-age=604800, immutable"
FILE_ERRORS: Final = (NotFound, Unavailable, FileMissing)


def as_picture(photo: SubmittedPhoto, *, size: str, is_public: bool = False) -> Response:
    """Return one size of a photo."""
    small = size == "small"
    tag = f"{photo.sha256}-{size}"
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304, headers=HEADERS)
    else:
        read = photos.public_content if is_public else photos.content
        response = Response(read(photo, small=small), mimetype=CONTENT_TYPE, headers=HEADERS)
        response.headers["Content-Disposition"] = 'inline; filename="photo.jpg"'
    response.set_etag(tag)
    if is_public:
        response.headers["Cache-Control"] = IMMUTABLE
    return response


def present_for_admin(photo: SubmittedPhoto) -> JsonObject:
    """Return a photo with its owner's names."""
    return {
        **present_photo(photo),
        "professional_id": photo.professional_id,
        "firstname": photo.firstname,
        "lastname": photo.lastname,
        "compname": photo.compname,
    }


class PublicPhoto(Resource):
    @endpoint(
        summary="Get a professional's photo",
        who=ANYONE,
        query=schemas.PhotoSize(),
        media_type=CONTENT_TYPE,
        errors=FILE_ERRORS,
        headers=("ETag",),
        rate_limit="profile_rate_limit",
    )
    def get(self, _: Actor | None, *, professional_id: int, digest: str, query: schemas.PhotoSizeData) -> Response:
        """The address is the profile's ``photo_url``, of approved photos only. It names the content: cache it."""
        photo = photos.shown(professional_id, digest=digest)
        return as_picture(photo, size=query["size"], is_public=True)


class MyPhoto(Resource):
    @endpoint(
        summary="Get my photo",
        who=PENDING_PROFESSIONALS,
        query=schemas.PhotoSize(),
        media_type=CONTENT_TYPE,
        errors=FILE_ERRORS,
        headers=("ETag",),
    )
    def get(self, actor: Actor, *, query: schemas.PhotoSizeData) -> Response:
        """The photo that was submitted last, whatever its state."""
        return as_picture(photos.latest_of_account(actor.account_id), size=query["size"])

    @endpoint(
        summary="Upload or replace my photo",
        who=PENDING_PROFESSIONALS,
        form=schemas.PhotoUpload(),
        response=schemas.OwnProfile(),
        errors=(TooLarge, UnsupportedType, Unavailable, capacity.InspectionRunning),
        rate_limit="document_rate_limit",
    )
    def put(self, actor: Actor, *, form: schemas.PhotoUploadData) -> ApiResponse:
        """Accepts JPEG, PNG or WebP, detected from the content; the middle square is kept, without metadata.

        Others see it once an admin has approved it; until then they see the photo before.
        """
        with capacity.current().upload_of(actor.account_id), received_photo(form["photo"]) as stored:
            actions.submit_photo(actor, photo=stored)
            return own_profile_response(accounts.get(actor.account_id), is_active=actor.is_active)

    @endpoint(summary="Delete my photo", who=PENDING_PROFESSIONALS, status=204, errors=(NotFound,))
    def delete(self, actor: Actor) -> None:
        """Removes the photo that others see and the one that awaits a decision."""
        actions.remove_photo(actor)


class Photos(Resource):
    @endpoint(
        summary="List profile photos",
        who=ADMINS,
        query=schemas.PhotoQuery(),
        response=schemas.ProfilePhoto(),
        paged=True,
    )
    def get(self, _: Actor, *, query: schemas.PhotoQueryData) -> Page[JsonObject]:
        """Those that await a decision by default, the longest-waiting first."""
        page = photos.page(state=query["state"], window=Window(query["limit"], query["cursor"]))
        return Page([present_for_admin(photo) for photo in page.items], page.next_cursor)


class OnePhoto(Resource):
    @endpoint(
        summary="Get a profile photo",
        who=ADMINS,
        query=schemas.PhotoSize(),
        media_type=CONTENT_TYPE,
        errors=FILE_ERRORS,
        headers=("ETag",),
    )
    def get(self, _: Actor, *, photo_id: int, query: schemas.PhotoSizeData) -> Response:
        """Whatever its state."""
        return as_picture(photos.one(photo_id), size=query["size"])


class ApprovePhoto(Resource):
    @endpoint(
        summary="Approve a profile photo",
        who=ADMINS,
        response=schemas.ProfilePhoto(),
        errors=(NotFound, Conflict, actions.PhotoReplaced),
    )
    def post(self, actor: Actor, *, photo_id: int) -> JsonObject:
        """Everyone can then see it. 409 ``photo_replaced`` if it was replaced or removed meanwhile."""
        actions.approve_photo(actor, photo_id=photo_id)
        return present_for_admin(photos.one(photo_id))


class RejectPhoto(Resource):
    @endpoint(
        summary="Reject a profile photo",
        who=ADMINS,
        body=Reason(),
        response=schemas.ProfilePhoto(),
        errors=(NotFound, Conflict, actions.PhotoReplaced),
    )
    def post(self, actor: Actor, *, photo_id: int, body: ReasonData) -> JsonObject:
        """Also takes down a photo that was approved. The professional is notified of the reason."""
        actions.reject_photo(actor, photo_id=photo_id, reason=body["reason"])
        return present_for_admin(photos.one(photo_id))

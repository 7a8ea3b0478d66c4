"""Public profiles: what everyone may read of a professional, and what professionals change in their own."""

from typing import Final

from flask import Response

from backend.api.auth import ANYONE, PENDING_PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.response_cache import public
from backend.api.responses import ApiResponse, JsonObject, expected_version, to_json
from backend.api.schemas import profiles as schemas
from backend.api.schemas.common import Window as Paging
from backend.api.schemas.common import WindowData
from backend.core.cache import Rendered
from backend.core.db.pagination import Window
from backend.core.errors import Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.accounts import queries as accounts
from backend.domain.accounts.models import Account
from backend.domain.profiles import actions, photos, queries
from backend.domain.profiles.photos import SubmittedPhoto
from backend.domain.profiles.queries import PublicProfile, PublicReview

PROFILE: Final = schemas.ProfessionalProfile()
REVIEW: Final = schemas.ProfileReview()
PHOTO_FIELDS: Final = ("id", "state", "reason", "created_at", "decided_at")


def photo_path(professional_id: int, digest: str | None) -> str | None:
    """Return the path of the photo that is shown. It names the photo's digest, so its content never changes."""
    return None if digest is None else f"/profiles/{professional_id}/photo/{digest}"


def present(profile: PublicProfile) -> JsonObject:
    """Return a profile as everyone sees it."""
    return {
        "id": profile.id,
        "firstname": profile.firstname,
        "compname": profile.compname,
        "exp": profile.exp,
        "about": profile.about,
        "photo_url": photo_path(profile.id, profile.photo),
        "tasks": [task._asdict() for task in profile.tasks],
        "rating": profile.rating,
        "rating_counts": {str(stars): count for stars, count in enumerate(profile.rating_counts, 1)},
        "reviews": profile.reviews,
        "tasks_done": profile.tasks_done,
        "verified_until": profile.verified_until,
        "member_since": profile.member_since,
        "response_time": profile.response_time,
        "service_area": profile.service_area,
    }


def present_review(review: PublicReview) -> JsonObject:
    """Return a review as everyone sees it."""
    return {name: getattr(review, name) for name in REVIEW.fields}


def present_photo(photo: SubmittedPhoto) -> JsonObject:
    """Return a photo as its owner sees it."""
    return {name: getattr(photo, name) for name in PHOTO_FIELDS}


def own_profile_response(account: Account, *, is_active: bool) -> ApiResponse:
    """Return the actor's own profile, with the version of the account for If-Match."""
    submitted = photos.of_account(account.id)
    body = {
        **present(queries.own_profile(account.id)),
        "isactive": int(is_active),
        "photo": present_photo(submitted[0]) if submitted else None,
    }
    return ApiResponse(body, version=account.version)


class Profile(Resource):
    @endpoint(
        summary="Get a professional's public profile",
        who=ANYONE,
        response=PROFILE,
        errors=(NotFound,),
        rate_limit="profile_rate_limit",
    )
    def get(self, _: Actor | None, *, professional_id: int) -> Response:
        """Active professionals only. Contact details are never part of it."""

        def render() -> Rendered:
            return Rendered(to_json(present(queries.public_profile(professional_id))))

        return public("profile", render)


class ProfileReviews(Resource):
    @endpoint(
        summary="List the reviews of a professional",
        who=ANYONE,
        query=Paging(),
        response=REVIEW,
        paged=True,
        errors=(NotFound, Invalid),
        rate_limit="profile_rate_limit",
    )
    def get(self, _: Actor | None, *, professional_id: int, query: WindowData) -> Response:
        """Latest first, without hidden reviews. Active professionals only."""
        window = Window(query["limit"], query["cursor"])

        def render() -> Rendered:
            page = queries.reviews(professional_id, window=window)
            items = [present_review(review) for review in page.items]
            return Rendered(to_json({"items": items, "next_cursor": page.next_cursor}))

        return public("profile_reviews", render)


class MyProfile(Resource):
    @endpoint(summary="Get my public profile", who=PENDING_PROFESSIONALS, response=schemas.OwnProfile())
    def get(self, actor: Actor) -> ApiResponse:
        """As others see it once the account is active; with the photo that was submitted last."""
        return own_profile_response(accounts.get(actor.account_id), is_active=actor.is_active)

    @endpoint(
        summary="Update my public profile",
        who=PENDING_PROFESSIONALS,
        body=schemas.ProfileEdit(),
        response=schemas.OwnProfile(),
        errors=(Stale, Invalid),
    )
    def patch(self, actor: Actor, *, body: schemas.ProfileEditData) -> ApiResponse:
        """422 ``contact_details`` if the text contains a phone number, an email address or a link."""
        account = actions.edit(actor, about=body.get("about"), expected_version=expected_version())
        return own_profile_response(account, is_active=actor.is_active)

"""Actions of professionals on their public profile, and of admins on photos."""

from typing import Final

from sqlalchemy import update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor
from backend.domain.accounts import actions as accounts
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.documents import photos as files
from backend.domain.documents.models import ProfilePhoto
from backend.domain.documents.photos import StoredPhoto
from backend.domain.live_updates.changes import announce_approval
from backend.domain.notifications.create import notify
from backend.domain.professionals import contact_details, queries
from backend.domain.profiles.photos import PhotoState, SubmittedPhoto, one

CHANGED: Final = "The photo was replaced or removed after you opened it. Review the new one."


class PhotoReplaced(Conflict):
    """The decision names a photo that was replaced or removed meanwhile."""

    code = "photo_replaced"


def edit(actor: Actor, *, about: str | None, expected_version: int | None = None) -> Account:
    """Change the text of the actor's profile; None leaves it.

    Raises:
        Stale: The account has another version.
        Invalid: ``contact_details``, because customers reach professionals through requests.
    """
    if about is not None:
        contact_details.refuse("about", about)
    account = accounts.touch(actor.account_id, expected_version=expected_version)
    if about is not None:
        queries.locked(account.id).about = about
        db.session.flush()
    return account


def submit_photo(actor: Actor, *, photo: StoredPhoto) -> None:
    """Submit a photo. The one that is shown stays until an admin approves the new one."""
    queries.locked(actor.account_id)
    files.keep(actor.account_id, photo)
    announce_approval(actor.account_id)


def remove_photo(actor: Actor) -> None:
    """Remove the actor's photos, the one that is shown and the one that was submitted. Raises NotFound without any."""
    queries.locked(actor.account_id)
    if not files.replace(actor.account_id):
        raise NotFound("Your profile has no photo.")
    announce_approval(actor.account_id)


def approve_photo(actor: Actor, *, photo_id: int) -> None:
    """Show a submitted photo in place of the one before.

    Raises:
        NotFound, PhotoReplaced: There is none of this id, or no longer.
        Conflict: ``invalid_transition``, it was decided on before.
    """
    photo = _locked(photo_id)
    if photo.state != PhotoState.PENDING:
        raise _decided(photo, "approve", "pending")
    files.replace(photo.professional_id, ProfilePhoto.state == PhotoState.APPROVED.value)
    _decide(actor, photo, PhotoState.APPROVED, None)
    notify(photo.professional_id, "photo_approved")


def reject_photo(actor: Actor, *, photo_id: int, reason: str) -> None:
    """Reject a submitted photo, or take down one that is shown, with a reason. Raises as ``approve_photo`` does."""
    photo = _locked(photo_id)
    if photo.state == PhotoState.REJECTED:
        raise _decided(photo, "reject", "pending or approved")
    if photo.state == PhotoState.APPROVED:  # one that was submitted since stays in the queue; this one is just gone
        files.replace(photo.professional_id, ProfilePhoto.id == photo_id)
    _decide(actor, photo, PhotoState.REJECTED, reason)
    notify(photo.professional_id, "photo_rejected", params={"reason": reason})


def _locked(photo_id: int) -> SubmittedPhoto:
    """Lock the professional's row, as uploads do, and return the photo as it then is."""
    queries.locked(one(photo_id).professional_id)
    photo = one(photo_id)
    if photo.replaced_at is not None:
        raise PhotoReplaced(CHANGED)
    return photo


def _decide(actor: Actor, photo: SubmittedPhoto, state: PhotoState, reason: str | None) -> None:
    db.session.execute(
        update(ProfilePhoto)
        .where(ProfilePhoto.id == photo.id)
        .values(state=state.value, reason=reason, decided_at=now())
        .execution_options(synchronize_session=False)
    )
    record(
        actor,
        f"photo_{state}",
        subject_id=photo.professional_id,
        before={"photo": photo.state},
        after={"photo": state.value, "photo_id": photo.id, "sha256": photo.sha256, "reason": reason},
    )
    announce_approval(photo.professional_id)


def _decided(photo: SubmittedPhoto, action: str, allowed: str) -> Conflict:
    return Conflict(
        f"The photo is {photo.state}. You can {action} only a photo that is {allowed}.", code="invalid_transition"
    )

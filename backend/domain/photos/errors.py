"""Errors of photos, by the codes of the API."""

from backend.core.errors import Conflict, NotFound


class PhotoNotFound(NotFound):
    """There is no such photo, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("Photo not found.")


class TooManyPhotos(Conflict):
    """The author has reached the limit of photos of this phase."""

    code = "too_many_photos"

    def __init__(self, most: int, *, in_messages: bool = False) -> None:
        # Photos in messages cannot be deleted, as messages cannot.
        super().__init__(
            f"You can send up to {most} photos in the messages of a request. Add further photos to the request."
            if in_messages
            else f"You can add up to {most} photos here. Delete one first."
        )


class PhotoNotPossible(Conflict):
    """The state of the request does not allow photos of this phase, or the phase is the other side's."""

    code = "photo_not_possible"

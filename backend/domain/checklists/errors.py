"""Errors of checklists, by the codes of the API."""

from backend.core.errors import Conflict, NotFound


class PointNotFound(NotFound):
    """The request's checklist has no such point."""

    def __init__(self) -> None:
        super().__init__("This checklist has no such point.")


class PointPhotoMissing(Conflict):
    """The point can be ticked only once there is a photo of it."""

    code = "point_photo_missing"

    def __init__(self) -> None:
        super().__init__("This point needs a photo. Add one before or after the work that names the point.")


class ChecklistClosed(Conflict):
    """Points are ticked during the visit, and not after completion."""

    code = "checklist_closed"

    def __init__(self) -> None:
        super().__init__("Points can be ticked only while the request is accepted.")

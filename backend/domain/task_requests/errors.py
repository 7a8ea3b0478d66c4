"""Errors of requests, by the codes of the contract."""

from backend.core.errors import Conflict, Forbidden, NotFound


class InvalidTransition(Conflict):
    """The state does not allow the action."""

    code = "invalid_transition"


class VisitNotStarted(Conflict):
    """The work can be completed only after the visit has started."""

    code = "visit_not_started"

    def __init__(self) -> None:
        super().__init__(
            "The visit must start before the work is completed. The professional enters the start code, or the "
            "customer confirms that the professional is there."
        )


class LineUndecided(Conflict):
    """The work can be completed or closed only when every price line is decided."""

    code = "line_undecided"

    def __init__(self) -> None:
        super().__init__(
            "A price line is waiting for a decision. The customer approves or declines it, or the professional "
            "withdraws it; then try again."
        )


class LineDecided(Conflict):
    """The price line was approved, declined or withdrawn before."""

    code = "line_decided"

    def __init__(self) -> None:
        super().__init__("This price line has already been decided or withdrawn. Load the request again.")


class OfferNeeded(Conflict):
    """The price of the request is agreed by offer, so that it cannot simply be accepted."""

    code = "offer_needed"

    def __init__(self) -> None:
        super().__init__("The price of this request is agreed by offer. Make an offer instead of accepting it.")


class NotByOffer(Conflict):
    """The price of the request is fixed, so that no offers are made."""

    code = "not_by_offer"

    def __init__(self) -> None:
        super().__init__("The price of this request is fixed. Professionals accept it without an offer.")


class ChecklistOpen(Conflict):
    """The work can be completed only once all points of its checklist are ticked."""

    code = "checklist_open"

    def __init__(self, number: int) -> None:
        super().__init__(f"The checklist is not done: {number} points are open. The professional ticks them first.")


class AlreadyTaken(Conflict):
    """Another professional has accepted the request."""

    code = "already_taken"


class OverlappingRequest(Conflict):
    """The professional has another accepted request at that time."""

    code = "overlapping_request"


class TaskNotAvailable(Conflict):
    """The task is not available."""

    code = "task_not_available"


class TooManyOpenRequests(Conflict):
    """The customer has reached the limit of open requests."""

    code = "too_many_open_requests"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have reached the limit of {most} open requests. Cancel one, or wait until one is completed."
        )


class TaskNotDone(Forbidden):
    """The professional sees the request but does not offer its task."""

    code = "task_not_done"


class RequestNotFound(NotFound):
    """The request does not exist or is not visible to the caller."""

    def __init__(self) -> None:
        super().__init__("Request not found, or you do not have access to it.")


class AlreadyReviewed(Conflict):
    """The request has a review already."""

    code = "already_reviewed"

    def __init__(self) -> None:
        super().__init__("You have already reviewed this request.")


class ReviewTooLate(Conflict):
    """The period for reviews is over."""

    code = "review_too_late"

    def __init__(self) -> None:
        super().__init__("Reviews can be written only within 30 days after the request is completed.")

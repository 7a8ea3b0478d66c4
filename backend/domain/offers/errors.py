"""Errors of offers, by their codes."""

from backend.core.errors import Conflict, NotFound


class OfferNotFound(NotFound):
    """The offer does not exist, or is not visible to the caller."""

    def __init__(self) -> None:
        super().__init__("Offer not found, or you do not have access to it.")


class OfferExpired(Conflict):
    """The time of the offer is over, or it has ended otherwise."""

    code = "offer_expired"

    def __init__(self) -> None:
        super().__init__("This offer is no longer valid. Choose another one, or wait for new offers.")


class OffersFull(Conflict):
    """The request has as many live offers as allowed."""

    code = "offers_full"

    def __init__(self, most: int) -> None:
        super().__init__(f"This request already has {most} offers. Try again when one has ended.")


class ProfessionalNotAvailable(Conflict):
    """Who made the offer may no longer accept requests."""

    code = "professional_not_available"

    def __init__(self) -> None:
        super().__init__("This professional is no longer available. Choose another offer.")

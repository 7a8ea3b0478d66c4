"""Notifications of offers: to the customer of each, and to who made the accepted one."""

from backend.core.security.authz import Actor
from backend.domain.notifications.create import notify
from backend.domain.notifications.messages import amount
from backend.domain.offers.queries import OfferRow
from backend.domain.task_requests.rows import Request, RequestWithContacts


def notify_made(offer: OfferRow, request: Request) -> None:
    """Notify the customer of a new offer."""
    params = {
        **_about(request),
        "professional": f"{offer.firstname} ({offer.compname})",
        "amount": amount(offer.amount, request.currency),
        "expires": offer.valid_until.isoformat(),
    }
    notify(request.customer_id, "request_offer_made", request_id=request.id, params=params)


def notify_withdrawn(offer: OfferRow, request: Request) -> None:
    """Notify the customer that an offer was withdrawn."""
    params = {**_about(request), "professional": f"{offer.firstname} ({offer.compname})"}
    notify(request.customer_id, "request_offer_withdrawn", request_id=request.id, params=params)


def notify_accepted(_: Actor, offer: OfferRow, accepted: RequestWithContacts) -> None:
    """Notify the professional whose offer was accepted, with the customer's name and phone."""
    request = accepted.request
    params = {
        **_about(request),
        "customer": accepted.customer_firstname,
        "phone": accepted.customer_phone,
        "amount": amount(offer.amount, request.currency),
    }
    notify(offer.professional_id, "request_offer_accepted", request_id=request.id, params=params)


def _about(request: Request) -> dict[str, object]:
    return {"task": request.task_name, "date": request.date_of_request}

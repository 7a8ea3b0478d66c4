"""Offers over HTTP: make, list, withdraw, accept."""

from backend.api.auth import ACTIVE, CUSTOMERS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.profiles import photo_path
from backend.api.resources.task_requests import CHANGE_ERRORS, changed
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import offers as schemas
from backend.api.schemas import task_requests as request_schemas
from backend.core.config import current_settings
from backend.core.errors import NotFound
from backend.core.security.authz import Actor
from backend.domain.offers import actions, queries
from backend.domain.offers.queries import OfferRow

PROFILE = ("firstname", "compname", "exp", "rating", "reviews", "tasks_done", "distance_km")
SHOWN = ("id", "amount", "note", "valid_until", "state", "made_at")


def present(offer: OfferRow, currency: str) -> JsonObject:
    """Return an offer as its customer and its professional see it."""
    professional: JsonObject = {name: getattr(offer, name) for name in PROFILE}
    professional |= {"id": offer.professional_id, "photo_url": photo_path(offer.professional_id, offer.photo)}
    return {**{name: getattr(offer, name) for name in SHOWN}, "currency": currency, "professional": professional}


class Offers(Resource):
    @endpoint(
        summary="List the offers for a request",
        who=ACTIVE,
        response=schemas.Offers(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Customers see all of their request, professionals their own."""
        request, offers = queries.of_request(actor, request_id=request_id)
        items = [present(offer, request.currency) for offer in offers]
        return {"items": items, "next_cursor": None, "longest_days": current_settings().offer_longest_days}

    @endpoint(
        summary="Make an offer",
        who=PROFESSIONALS,
        body=schemas.NewOffer(),
        response=schemas.Offer(),
        status=201,
        errors=CHANGE_ERRORS,
        idempotent=True,
        rate_limit="message_rate_limit",
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.NewOfferData) -> JsonObject:
        """For requests with ``pricing`` "quote". Replaces the professional's earlier offer.

        Contact details in the note are hidden. 409: `offers_full` with five live offers of others, `not_by_offer`,
        `already_taken`.
        """
        offer = actions.make(
            actor,
            request_id=request_id,
            amount=body["amount"],
            note=body["note"] or None,
            valid_until=body["valid_until"],
            expected_version=expected_version(),
        )
        return present(offer, current_settings().market_currency)


class WithdrawOffer(Resource):
    @endpoint(
        summary="Withdraw an offer",
        who=PROFESSIONALS,
        response=schemas.Offer(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, offer_id: int) -> JsonObject:
        """Possible until it has ended. 409: `offer_expired`."""
        offer = actions.withdraw(actor, request_id=request_id, offer_id=offer_id, expected_version=expected_version())
        return present(offer, current_settings().market_currency)


class AcceptOffer(Resource):
    @endpoint(
        summary="Accept an offer",
        who=CUSTOMERS,
        response=request_schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, offer_id: int) -> ApiResponse:
        """The offer's amount becomes the price. Of several acceptances at the same time one succeeds.

        409: `already_taken`, `offer_expired`, `overlapping_request` or `professional_not_available`.
        """
        accepted = actions.accept(actor, request_id=request_id, offer_id=offer_id, expected_version=expected_version())
        return changed(actor, accepted)

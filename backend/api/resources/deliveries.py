"""The delivery log, for admins."""

from backend.api import language
from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import notifications as schemas
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor
from backend.core.sentences import LOG, translated
from backend.domain.notifications import delivery as notification_delivery
from backend.domain.notifications.models import Delivery


def present(delivery: Delivery) -> JsonObject:
    """Return a delivery as a response body."""
    names = schemas.Delivery().fields
    return {name: getattr(delivery, name) for name in names}


class Deliveries(Resource):
    @endpoint(
        summary="List deliveries",
        who=ADMINS,
        query=schemas.DeliveryFilter(),
        response=schemas.Delivery(),
        paged=True,
    )
    def get(self, _: Actor, *, query: schemas.DeliveryFilterData) -> Page[JsonObject]:
        """The delivery log, newest first: recipient, channel, and whether the message was sent."""
        window = Window(query["limit"], query["cursor"])
        filters = notification_delivery.DeliveryFilters(
            account_id=query["account_id"],
            state=query["state"],
            kind=query["kind"],
            channel=query["channel"],
            run_id=query["run_id"],
        )
        page = notification_delivery.page(filters, window=window)
        return Page([present(delivery) for delivery in page.items], page.next_cursor)


class OneDelivery(Resource):
    @endpoint(summary="Get a delivery", who=ADMINS, response=schemas.DeliveryWithAttempts(), errors=(NotFound,))
    def get(self, actor: Actor, *, delivery_id: int) -> ApiResponse:
        """Includes each attempt with the provider's response; our own words are in the reader's language."""
        reader = language.of_reader(actor)
        delivery = notification_delivery.get(delivery_id)
        attempts = [
            {
                "number": attempt.number,
                "at": attempt.at,
                "outcome": attempt.outcome,
                "detail": attempt.detail and translated(attempt.detail, reader, LOG),
            }
            for attempt in notification_delivery.attempts_of(delivery_id)
        ]
        headers = {"Content-Language": reader, "Vary": "Accept-Language"}
        return ApiResponse({**present(delivery), "tries": attempts}, headers=headers)


class Resend(Resource):
    @endpoint(
        summary="Resend a failed delivery",
        who=ADMINS,
        response=schemas.Delivery(),
        status=202,
        errors=(NotFound, Conflict),
        headers=("Location",),
    )
    def post(self, actor: Actor, *, delivery_id: int) -> ApiResponse:
        """Uses the same channel and the same Message-ID."""
        delivery = notification_delivery.resend(actor, delivery_id=delivery_id)
        return ApiResponse(present(delivery), headers={"Location": f"/deliveries/{delivery_id}"})

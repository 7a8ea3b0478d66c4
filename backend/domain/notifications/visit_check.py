"""Whether a message about a coming visit still applies when it is about to be sent."""

from typing import Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.notifications.models import Delivery

OBSOLETE: Final = "The visit has started, or was moved, released or cancelled."
# Requests are in a layer above this one, so the row is read directly from the table.
APPLIES: Final = text("""
    SELECT EXISTS (SELECT 1 FROM task_requests
                    WHERE id = :request_id AND status = 'accepted' AND started_at IS NULL
                      AND date_of_request = CAST(:date AS timestamptz) AND date_of_request > :now
                      AND :account_id IN (customer_id, professional_id))
""")


def applies(delivery: Delivery) -> bool:
    """Return whether the visit is still to come, at the message's time and with its recipient.

    Quiet hours and a provider that is unavailable can delay a message beyond the visit.
    """
    values = {
        "now": now(),
        "request_id": delivery.request_id,
        "date": delivery.param("date"),
        "account_id": delivery.account_id,
    }
    return bool(db.session.execute(APPLIES, values).scalar_one())

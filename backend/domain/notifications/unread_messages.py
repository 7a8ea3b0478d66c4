"""The notification about messages that stay unread: what it says is read when it is sent."""

from typing import Final

from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.notifications.messages import phrase
from backend.domain.notifications.models import Delivery

KIND: Final = "request_messages"
# Conversations and accounts are in layers above this one, so their tables are read directly.
UNREAD: Final = text("""
SELECT r.task_name AS task, customer.firstname AS customer, professional.firstname || ' (' || p.compname || ')'
       AS professional, c.customer_id = :account_id AS is_for_customer, unread.number
  FROM conversations c
  JOIN task_requests r ON r.id = c.request_id
  JOIN accounts customer ON customer.id = c.customer_id
  JOIN accounts professional ON professional.id = c.professional_id
  JOIN professionals p ON p.account_id = c.professional_id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN c.customer_id = :account_id THEN c.customer_unread ELSE c.professional_unread END AS number,
           CASE WHEN c.customer_id = :account_id THEN c.customer_read_to ELSE c.professional_read_to END AS read_to
  ) unread
 WHERE c.request_id = :request_id AND c.professional_id = :professional_id AND unread.read_to < :first_unread
""")


def params(delivery: Delivery) -> dict[str, object]:
    """Return the values of the text, or nothing if the first message that it is about has been read."""
    values = {
        "account_id": delivery.account_id,
        "request_id": delivery.request_id,
        "professional_id": delivery.params["professional_id"],
        "first_unread": delivery.params["first_unread"],
    }
    row = db.session.execute(UNREAD, values).one_or_none()
    if row is None:
        return {}
    return {
        "task": row.task,
        "author": row.professional if row.is_for_customer else row.customer,
        "unread": phrase("unread_messages", n=int(row.number)),
        "professional_id": values["professional_id"],
    }

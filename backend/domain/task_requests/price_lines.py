"""What the end of an acceptance means for price lines, whose own actions are in a layer above this one."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.rows import Request

# Lines belong to one acceptance: the next professional starts at the agreed price. What was approved before a
# cancellation stays as it was.
ENDED_BY: Final = {
    Action.RELEASE: ["proposed", "approved"],
    Action.MOVE: ["proposed", "approved"],
    Action.CANCEL: ["proposed"],
}
WITHDRAW: Final = text("""
    UPDATE price_lines SET state = 'withdrawn', withdrawn_at = :at
     WHERE request_id = ANY(:request_ids) AND state = ANY(:states)
""")


def withdraw_after(action: Action, requests: Sequence[Request]) -> None:
    """Withdraw the lines that end with this action. ``requests`` are as they were before it, and are locked."""
    request_ids = [request.id for request in requests if request.has_lines]
    if request_ids and action in ENDED_BY:
        values = {"at": now(), "request_ids": request_ids, "states": ENDED_BY[action]}
        db.session.execute(WITHDRAW, values)

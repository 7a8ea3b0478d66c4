"""What other actions mean for offers, whose own actions are in a layer above this one."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.notifications.create import Note, notify_many
from backend.domain.notifications.messages import phrase
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.rows import Request

# Offers are about one date, and an accepted one about one acceptance.
ENDED_BY: Final = {
    Action.MOVE: ["live", "accepted"],
    Action.RELEASE: ["live", "accepted"],
    Action.CANCEL: ["live"],
    Action.EXPIRE: ["live"],
}
END: Final = text("""
  WITH ended AS (
       SELECT id, state = 'live' AS was_live FROM offers WHERE request_id = ANY(:request_ids) AND state = ANY(:states)
     )
UPDATE offers o SET state = 'ended', slot = NULL, ended_at = :at FROM ended WHERE o.id = ended.id
RETURNING o.request_id, o.professional_id, ended.was_live AND o.valid_until > :at
""")
WITHDRAW: Final = text("""
    UPDATE offers SET state = 'withdrawn', slot = NULL, ended_at = :at
     WHERE professional_id = :professional_id AND state = 'live'
       AND (CAST(:request_id AS bigint) IS NULL OR request_id = :request_id)
""")


def end_after(action: Action, requests: Sequence[Request]) -> None:
    """End the offers that end with this action, and notify who made them. ``requests`` are as they were before it."""
    by_id = {request.id: request for request in requests if request.is_by_offer}
    if not by_id or action not in ENDED_BY:
        return
    values = {"at": now(), "request_ids": list(by_id), "states": ENDED_BY[action]}
    ended = db.session.execute(END, values).all()
    notify_ended(
        [(by_id[row[0]], row[1]) for row in ended if row[2]], why="changed" if action is Action.MOVE else "gone"
    )


def notify_ended(ended: Sequence[tuple[Request, int]], *, why: str) -> None:
    """Notify professionals that their offers for these requests have ended."""
    notify_many(
        [
            Note(
                professional_id,
                "request_offer_ended",
                request.id,
                {"task": request.task_name, "date": request.date_of_request, "why": phrase(f"offer_ends.{why}")},
            )
            for request, professional_id in ended
        ]
    )


def withdraw_of(professional_id: int, *, request_id: int | None = None) -> None:
    """Withdraw the live offers of a professional who declined a request, or may no longer accept any."""
    values = {"at": now(), "professional_id": professional_id, "request_id": request_id}
    db.session.execute(WITHDRAW, values)

"""Times that a client reports later: steps of a visit and its completion, done while it was offline."""

from datetime import datetime, timedelta

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import Invalid
from backend.domain.task_requests.rows import Request


def time_of_step(request: Request, reported: datetime | None) -> datetime:
    """Return the reported time of a step, or the current one. The history also has the time when it was received.

    Raises:
        Invalid: It is in the future, before the acceptance or the previous step, or too long ago.
    """
    at = now()
    steps = (request.accepted_at, request.on_the_way_at, request.arrived_at, request.started_at)
    latest = max((step for step in steps if step is not None), default=at)
    if reported is None:
        return max(at, latest)  # the clock of the machine that recorded the latest may be ahead
    hours = current_settings().visit_reported_hours
    if reported > at:
        raise Invalid.field("at", "Must not be in the future.")
    if request.accepted_at is not None and reported < request.accepted_at:
        raise Invalid.field("at", "Must not be before the request was accepted.")
    if reported < at - timedelta(hours=hours):
        raise Invalid.field("at", f"Must be within the last {hours} hours.")
    if reported < latest:
        raise Invalid.field("at", "Must not be before the previous step of the visit.")
    return reported


def reported_changes(*, reported: datetime | None, eta_at: datetime | None = None) -> dict[str, object] | None:
    """Return what the history entry of a step says about its times, or None."""
    given = {"reported_at": reported, "eta_at": eta_at}
    return {name: value.isoformat() for name, value in given.items() if value is not None} or None

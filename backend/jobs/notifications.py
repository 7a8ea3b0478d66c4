"""Sends deliveries from the outbox."""

from backend.core.queue import Lease
from backend.domain.notifications import create, delivery
from backend.jobs.registry import Retry, job


@job(create.TOPIC, guarded=True)
def deliver(lease: Lease) -> None:
    """Send one delivery. Deliveries count their own attempts, so a failed attempt does not count for the job."""
    try:
        # The delivery's row is the guard: locked until the commit, and sent by the worker that finds it waiting.
        delivery.deliver(lease.payload["delivery_id"], interrupted=lease.interrupted)
    except delivery.TryAgain as error:
        again = error

        def record() -> None:
            if again.number is not None:
                delivery.note_attempt(again.delivery_id, number=again.number, outcome="put_off", detail=again.reason)

        raise Retry(again.reason, after_seconds=again.after_seconds, counts=False, record=record) from error

"""Sends deliveries from the outbox."""

from backend.core.queue import Lease, Snooze
from backend.domain.notifications import create, delivery
from backend.jobs.registry import job


@job(create.TOPIC, guarded=True)
def deliver(payload: create.DeliveryPayload, lease: Lease) -> Snooze | None:
    """Send one delivery."""
    # The delivery's row is the guard: locked until the commit, and sent by the worker that finds it waiting.
    return delivery.deliver(payload.delivery_id, interrupted=lease.interrupted)

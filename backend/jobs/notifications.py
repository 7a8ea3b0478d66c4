"""Sends deliveries out of the outbox."""

from backend.core.queue import Lease
from backend.jobs.registry import job


@job("notification.deliver")
def deliver(lease: Lease) -> None:
    """Send one delivery."""

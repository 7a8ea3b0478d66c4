"""Which function carries out which topic of the job table."""

from collections.abc import Callable
from typing import Final

from backend.core.queue import Lease

Handler = Callable[[Lease], None]
HANDLERS: Final[dict[str, Handler]] = {}


class Retry(Exception):
    """The job cannot be done now; try again after so many seconds."""

    def __init__(self, reason: str, *, after_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class GiveUp(Exception):
    """The job can never be done: park it for an admin at once."""


def job(topic: str) -> Callable[[Handler], Handler]:
    """Register the function for a topic. It runs in one transaction that ends with the job's done_at."""

    def register(handler: Handler) -> Handler:
        if topic in HANDLERS:
            raise ValueError(f"two handlers for {topic}")
        HANDLERS[topic] = handler
        return handler

    return register

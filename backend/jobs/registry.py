"""Which function carries out which topic of the job table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backend.core.queue import Lease

Handler = Callable[[Lease], None]


@dataclass(frozen=True, slots=True)
class Registered:
    """The function of a topic.

    ``long``: it may take minutes, so no other job is kept waiting behind it. ``guarded``: a row that it locks until
    the commit decides that its effect happens once, whatever the lease says.
    """

    handle: Handler
    long: bool = False
    guarded: bool = False


HANDLERS: Final[dict[str, Registered]] = {}


class Retry(Exception):
    """The job cannot be done now; try again after so many seconds.

    ``record`` is called in the transaction that puts the job back (the job's own is rolled back).
    ``counts=False``: waiting was the point, it is no failed try.
    """

    def __init__(
        self,
        reason: str,
        *,
        after_seconds: int | None = None,
        counts: bool = True,
        record: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.counts = counts
        self.record = record


class GiveUp(Exception):
    """The job can never be done: park it for an admin at once."""


def job(topic: str, *, long: bool = False, guarded: bool = False) -> Callable[[Handler], Handler]:
    """Register the function for a topic. It runs in one transaction that ends with the job's done_at."""

    def register(handler: Handler) -> Handler:
        if topic in HANDLERS:
            raise ValueError(f"two handlers for {topic}")
        HANDLERS[topic] = Registered(handler, long, guarded)
        return handler

    return register

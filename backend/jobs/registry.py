"""The registry of job handlers by topic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backend.core.queue import Lease, Snooze

Handler = Callable[[Lease], Snooze | None]


@dataclass(frozen=True, slots=True)
class Registered:
    """The handler of a topic.

    ``long``: it may take minutes, so no other job waits behind it. ``guarded``: a row that it locks until the commit
    ensures that its effect happens once, whatever the lease says.
    """

    handle: Handler
    long: bool = False
    guarded: bool = False


HANDLERS: Final[dict[str, Registered]] = {}


def job(topic: str, *, long: bool = False, guarded: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of a topic. It runs in one transaction that ends with the job's ``done_at``.

    A handler returns a Snooze to commit what it did and run again later. It raises RetryLater or PermanentFailure,
    which roll back what it did, to reschedule or dead-letter the job.
    """

    def register(handler: Handler) -> Handler:
        if topic in HANDLERS:
            raise ValueError(f"topic {topic} already has a handler")
        HANDLERS[topic] = Registered(handler, long, guarded)
        return handler

    return register

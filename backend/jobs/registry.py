"""The registry of job handlers by topic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backend.core.queue import Lease

Handler = Callable[[Lease], None]


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


class Retry(Exception):
    """The job cannot be done now; retry it after ``after_seconds``.

    ``record`` is called in the transaction that reschedules the job (the job's own is rolled back).
    ``counts=False`` uses no attempt.
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
    """The job can never succeed: dead-letter it immediately."""


def job(topic: str, *, long: bool = False, guarded: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of a topic. It runs in one transaction that ends with the job's ``done_at``."""

    def register(handler: Handler) -> Handler:
        if topic in HANDLERS:
            raise ValueError(f"topic {topic} already has a handler")
        HANDLERS[topic] = Registered(handler, long, guarded)
        return handler

    return register

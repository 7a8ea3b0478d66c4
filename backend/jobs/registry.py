"""The registry of job handlers by topic."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final

from backend.core.queue import Lease, Snooze, Topic
from backend.core.queue.topics import Payload

Handler = Callable[[Payload, Lease], Snooze | None]


@dataclass(frozen=True, slots=True)
class Registered:
    """The handler of a topic, which reads the payload from the lease.

    ``long``: it may take minutes, so no other job waits behind it. ``guarded``: a row that it locks until the commit
    ensures that its effect happens once, whatever the lease says.
    """

    handle: Callable[[Lease], Snooze | None]
    long: bool = False
    guarded: bool = False


HANDLERS: Final[dict[str, Registered]] = {}


def job(
    topic: Topic[Payload], *, long: bool = False, guarded: bool = False
) -> Callable[[Handler[Payload]], Handler[Payload]]:
    """Register the handler of a topic. It runs in one transaction that ends with the job's ``done_at``.

    A handler returns a Snooze to commit what it did and run again later. It raises RetryLater or PermanentFailure,
    which roll back what it did, to reschedule or dead-letter the job.
    """

    def register(handler: Handler[Payload]) -> Handler[Payload]:
        if topic.name in HANDLERS:
            raise ValueError(f"topic {topic.name} already has a handler")

        @wraps(handler)
        def handle(lease: Lease) -> Snooze | None:
            return handler(topic.load(lease.payload), lease)

        HANDLERS[topic.name] = Registered(handle, long, guarded)
        return handler

    return register

"""What clients saw: every call and its answer, and the times at which something was broken on purpose."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from tests.scale.load import NO_RESPONSE


class Kind(StrEnum):
    """The kinds of calls. A write is one kind of call on one target at most once, however often it is repeated."""

    CREATE = "create"
    MOVE = "move"
    ACCEPT = "accept"
    MESSAGE = "message"
    PHOTO = "photo"
    PROPOSE = "propose_line"
    APPROVE = "approve_line"
    DECLINE = "decline_line"
    COMPLETE = "complete"
    CLOSE = "close"
    CANCEL = "cancel"
    EXPORT = "export"
    SIGN_IN = "sign_in"
    READ = "read"


EXPORT_SECONDS = 60.0  # an export of a chaos run is written by then
FILES = frozenset({Kind.PHOTO, Kind.EXPORT})


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``target`` is the request's id, ``key`` what tells this write from all others of its kind.

    ``made`` is the id in the answer, ``value`` what was written. Times are seconds of the monotonic clock; status 0
    stands for no response.
    """

    kind: Kind
    actor: int
    target: int
    key: str
    status: int
    began: float
    ended: float
    made: int = 0
    value: str = ""
    detail: str = ""

    @property
    def is_acknowledged(self) -> bool:
        return 200 <= self.status < 300

    @property
    def has_failed(self) -> bool:
        return self.status == NO_RESPONSE or self.status >= 500


class Fails(StrEnum):
    """Which calls may fail while a fault lasts."""

    NONE = "none"
    FILES = "files"
    ALL = "all"


@dataclass(slots=True)
class Window:
    """The time from a fault until everything was ready again after it. ``until`` is infinite while it lasts.

    ``ready_after``: seconds from its end until everything was ready; None if that took too long.
    """

    fault: str
    fails: Fails
    began: float
    healed: float = float("inf")
    until: float = float("inf")
    ready_after: float | None = None

    def may_fail_export_after(self, call: Call) -> bool:
        """Return whether an export that was asked for then may have met stores that take no files."""
        return self.fails is Fails.FILES and self.began - EXPORT_SECONDS <= call.ended <= self.until

    def excuses(self, call: Call) -> bool:
        """Return whether the call may have failed because of this fault; an error of the program (500) never may."""
        if call.status == 500 or call.ended < self.began or call.began > self.until:
            return False
        return self.fails is Fails.ALL or (self.fails is Fails.FILES and call.kind in FILES)


@dataclass
class History:
    """The calls of all clients, from any thread."""

    calls: list[Call] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: Call) -> Call:
        with self._lock:
            self.calls.append(call)
        return call

    def acknowledged(self, *kinds: Kind) -> Iterator[Call]:
        """Return the calls of these kinds that were answered with success."""
        return (call for call in self.calls if call.kind in kinds and call.is_acknowledged)

    def longest_outage(self) -> float:
        """Return the longest time in seconds in which no call succeeded."""
        ends = sorted(call.ended for call in self.calls if call.is_acknowledged)
        return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)

    def longest_call(self) -> float:
        """Return the seconds of the longest call that was answered."""
        return max((call.ended - call.began for call in self.calls if call.status != NO_RESPONSE), default=0.0)

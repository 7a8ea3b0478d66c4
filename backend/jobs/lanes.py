"""Limits how many processes of a worker run bulk jobs and exports, so that one is always left for urgent jobs."""

import fcntl
import os
import tempfile
import threading
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from backend.core.lanes import Lane


class Slots:
    """Slots shared by the processes forked after their creation.

    A slot is a lock on a byte of an unnamed file, which the kernel releases whenever the process ends. A semaphore
    would stay acquired.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        with tempfile.TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self._mine = threading.Lock()  # file locks do not distinguish threads of a process

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Take a slot for the block without waiting; yield False if there is none."""
        if not self._mine.acquire(blocking=False):
            yield False
            return
        try:
            slot = next((n for n in range(self._number) if self._lock(n)), None)
            try:
                yield slot is not None
            finally:
                if slot is not None:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)
        finally:
            self._mine.release()

    def _lock(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Limits:
    """The slots of a worker: ``both`` for bulk jobs and exports together, ``exports`` for these among them."""

    lanes: tuple[Lane, ...]
    both: Slots
    exports: Slots


def slot_counts(processes: int, lanes: Collection[Lane]) -> tuple[int, int]:
    """Return how many processes of a worker of these lanes may run bulk jobs or exports, and how many exports.

    One process is left for urgent jobs. Of the others, exports get half, so that they and messages never wait for each
    other; a worker with one or two processes runs them in turns, part by part.
    """
    both = max(1, processes - 1) if Lane.URGENT in lanes else processes
    return both, max(1, both // 2) if Lane.BULK in lanes else both


_limits: Final[list[Limits]] = []


def init(processes: int, lanes: Collection[Lane] = tuple(Lane)) -> None:
    """Create the slots. Call this before the job processes are forked."""
    both, exports = slot_counts(processes, lanes)
    _limits[:] = [Limits(tuple(lane for lane in Lane if lane in lanes), Slots(both), Slots(exports))]


def served() -> tuple[Lane, ...]:
    """Return the lanes of this worker, urgent first; all of them without a worker (tests, a shell)."""
    return _limits[0].lanes if _limits else tuple(Lane)


@contextmanager
def slot(lane: Lane) -> Iterator[bool]:
    """Take a slot for jobs of this lane, bulk or exports. Without a worker there always is one."""
    if not _limits:
        yield True
        return
    limits = _limits[0]
    if lane not in limits.lanes:
        yield False
        return
    with limits.both.taken() as taken:
        if not taken or lane is Lane.BULK:
            yield taken
            return
        with limits.exports.taken() as one_of_exports:
            yield one_of_exports

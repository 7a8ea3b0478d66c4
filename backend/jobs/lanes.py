"""Limits how many processes of a worker run bulk jobs, so that one is always left for urgent jobs."""

import fcntl
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


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


def slots_for_bulk(processes: int) -> Slots:
    """Return slots for all processes of a worker except one; a single process runs both lanes, urgent jobs first."""
    return Slots(max(1, processes - 1))


_slots: Final[list[Slots]] = []


def init(processes: int) -> None:
    """Create the slots. Call this before the job processes are forked."""
    _slots[:] = [slots_for_bulk(processes)]


@contextmanager
def bulk_slot() -> Iterator[bool]:
    """Take a slot for bulk jobs. Without a worker (tests, a shell) there always is one."""
    if not _slots:
        yield True
        return
    with _slots[0].taken() as taken:
        yield taken

"""Limits how many job processes of a worker run bulk jobs at once, so that one is always left for urgent ones."""

import fcntl
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class Slots:
    """Slots that the processes forked from the one which made them take in turns.

    A slot is a lock on a byte of a file without a name. The kernel releases it when its process ends, however that
    happens; a semaphore would stay taken for good.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        with tempfile.TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self._mine = threading.Lock()  # locks on files do not tell the threads of one process apart

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Take a slot for the block, without waiting; False when there is none."""
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
    """All processes of a worker but one may run bulk jobs; a single one does both, urgent jobs first."""
    return Slots(max(1, processes - 1))


_slots: Final[list[Slots]] = []


def init(processes: int) -> None:
    """Make the slots; before the job processes are forked."""
    _slots[:] = [slots_for_bulk(processes)]


@contextmanager
def bulk_slot() -> Iterator[bool]:
    """Take a slot for bulk jobs. Where no worker was set up (tests, a shell) there is always one."""
    if not _slots:
        yield True
        return
    with _slots[0].taken() as taken:
        yield taken

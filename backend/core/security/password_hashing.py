"""Password hashing with Argon2id (RFC 9106, low-memory profile), bounded so that sign-ins cannot starve other calls."""

import os
import unicodedata
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import Flask, current_app

from backend.core.concurrency import FairSemaphore
from backend.core.security import hash_worker
from backend.core.security.hash_worker import Cost, HashWorker, WorkerLost
from backend.settings import Settings

Arguments = ParamSpec("Arguments")
Outcome = TypeVar("Outcome")
TOO_MANY: Final = "Too many sign-ins are in progress. Try again in a moment."
QUEUE_SECONDS: Final = 6.0
SLOT_SECONDS: Final = 2.0  # short, because a waiting caller holds a database connection


class BoundedPasswordHasher:
    """Hashes and verifies passwords, at most ``at_once`` at a time in this process.

    Callers queue before they use the database (see :func:`queued`), at most ``most_queued`` of them, so that threads
    and connections remain for other calls. One more than can hash is admitted, to use the database meanwhile.
    """

    def __init__(
        self, *, memory_kib: int, time_cost: int, parallelism: int, at_once: int = 1, most_queued: int | None = None
    ) -> None:
        self._cost = Cost(memory_kib, time_cost, parallelism)
        self._hasher = self._cost.hasher()
        self.queue = FairSemaphore(at_once + 1, seconds=QUEUE_SECONDS, most=most_queued)
        self._slots = FairSemaphore(at_once, seconds=SLOT_SECONDS)
        self._at_once = at_once
        self._uses_workers = False
        self._workers: deque[HashWorker] = deque()
        self._decoy = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash. Raises Unavailable if too many callers are waiting."""
        return self._hash_or_verify(_typed(password))

    def matches(self, encoded: str | None, password: str) -> bool:
        """Return whether the password matches. An unknown account (None) takes the same time (OWASP ASVS 5, V6)."""
        is_match = self._hash_or_verify(_typed(password), encoded or self._decoy) == hash_worker.MATCHES
        return is_match and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Return whether the hash was made with other than the current parameters."""
        return self._hasher.check_needs_rehash(encoded)

    def use_workers(self) -> None:
        """Hash at low priority from now on, so that web servers keep serving other calls.

        Not for commands: one that creates hundreds of accounts would starve next to any busy program.
        """
        self._uses_workers = True
        os.register_at_fork(after_in_child=self._workers.clear)  # two processes must not share one hashing process
        with suppress(WorkerLost):
            self._workers.extend(HashWorker.start(self._cost) for _ in range(self._at_once))

    def worker_pids(self) -> list[int]:
        """Return the ids of the hashing processes that are not in use at present."""
        return [worker.process.pid for worker in list(self._workers)]

    def close(self) -> None:
        """Stop the hashing processes; otherwise they exit together with this process."""
        while self._workers:
            self._workers.pop().end()

    def _hash_or_verify(self, password: bytes, encoded: str | None = None) -> str:
        with self._slots.acquire(error=TOO_MANY):
            if self._uses_workers:
                try:
                    return self._ask_worker(password, encoded)
                except WorkerLost:
                    pass  # hash in this process instead
            return hash_worker.hash_or_verify(self._hasher, password, encoded)

    def _ask_worker(self, password: bytes, encoded: str | None) -> str:
        try:
            worker = self._workers.pop()
        except IndexError:
            worker = HashWorker.start(self._cost)
        try:
            response = worker.ask(password, encoded)
        except BaseException:  # its next response could be taken for another request's
            worker.end()
            raise
        self._workers.append(worker)
        return response


def _typed(password: str) -> bytes:
    """Return the bytes to hash, normalised: keyboards encode a letter in different ways (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def queued(work: Callable[Arguments, Outcome]) -> Callable[Arguments, Outcome]:
    """Decorate a function that hashes a password: queue before it starts. Do not nest."""

    @wraps(work)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Outcome:
        with current_hasher().queue.acquire(error=TOO_MANY):
            return work(*args, **kwargs)

    return wrapper


def init_app(app: Flask, settings: Settings) -> None:
    """Create the hasher of this process."""
    app.extensions["passwords"] = BoundedPasswordHasher(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        at_once=settings.hashes_at_once,
        most_queued=max(1, settings.web_threads * 2 // 3),
    )


def current_hasher() -> BoundedPasswordHasher:
    """Return the hasher of the running application."""
    hasher: BoundedPasswordHasher = current_app.extensions["passwords"]
    return hasher

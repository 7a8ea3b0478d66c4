"""Password hashing: Argon2id, RFC 9106 low-memory profile, bounded so that a flood of sign-ins starves nobody."""

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
TOO_MANY: Final = "Too many people sign in at this moment. Try again shortly."
QUEUE_SECONDS: Final = 6.0
SLOT_SECONDS: Final = 2.0  # short: who waits here holds a connection to the database


class BoundedPasswordHasher:
    """Hashes and checks passwords, at most ``at_once`` at a time in this process.

    Who needs it stands in line before the database is asked (see ``in_line``): ``line`` people at most, so that threads
    and connections are left for everyone else. One more than can hash is let in, to ask while the others hash.
    """

    def __init__(
        self, *, memory_kib: int, time_cost: int, parallelism: int, at_once: int = 1, line: int | None = None
    ) -> None:
        self._cost = Cost(memory_kib, time_cost, parallelism)
        self._hasher = self._cost.hasher()
        self.line = FairSemaphore(at_once + 1, seconds=QUEUE_SECONDS, most=line)
        self._turns = FairSemaphore(at_once, seconds=SLOT_SECONDS)
        self._at_once = at_once
        self._uses_workers = False
        self._workers: deque[HashWorker] = deque()
        self._decoy = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The encoded Argon2id hash. Raises Unavailable when too many others wait."""
        return self._in_turn(_typed(password))

    def matches(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits. An unknown account (None) costs the same as a known one (OWASP ASVS 5, V6)."""
        fits = self._in_turn(_typed(password), encoded or self._decoy) == hash_worker.MATCHES
        return fits and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(encoded)

    def use_workers(self) -> None:
        """From now on, hash only what time others leave: for web servers, where people browse meanwhile.

        Not for what runs by itself: a command that makes hundreds of people would starve beside any busy program.
        """
        self._uses_workers = True
        os.register_at_fork(after_in_child=self._workers.clear)  # two may not talk to one of them
        with suppress(WorkerLost):
            self._workers.extend(HashWorker.start(self._cost) for _ in range(self._at_once))

    def close(self) -> None:
        """End the processes that hash for this one; without it they end with it."""
        while self._workers:
            self._workers.pop().end()

    def _in_turn(self, password: bytes, encoded: str | None = None) -> str:
        with self._turns.acquire(error=TOO_MANY):
            if self._uses_workers:
                try:
                    return self._asked(password, encoded)
                except WorkerLost:
                    pass  # it is done here then, at once
            return hash_worker.hash_or_verify(self._hasher, password, encoded)

    def _asked(self, password: bytes, encoded: str | None) -> str:
        try:
            worker = self._workers.pop()
        except IndexError:
            worker = HashWorker.start(self._cost)
        try:
            answer = worker.ask(password, encoded)
        except BaseException:  # its next answer would be taken for that of another question
            worker.end()
            raise
        self._workers.append(worker)
        return answer


def _typed(password: str) -> bytes:
    """The bytes to hash: keyboards write the same letter in more than one way (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def queued(work: Callable[Arguments, Outcome]) -> Callable[Arguments, Outcome]:
    """Of work that hashes a password: wait for a turn before it begins. Never around other such work."""

    @wraps(work)
    def waited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Outcome:
        with current_hasher().line.acquire(error=TOO_MANY):
            return work(*args, **kwargs)

    return waited


def init_app(app: Flask, settings: Settings) -> None:
    """Make the hasher of this process."""
    app.extensions["passwords"] = BoundedPasswordHasher(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        at_once=settings.hashes_at_once,
        line=max(1, settings.web_threads * 2 // 3),
    )


def current_hasher() -> BoundedPasswordHasher:
    """The hasher of the running application."""
    hasher: BoundedPasswordHasher = current_app.extensions["passwords"]
    return hasher

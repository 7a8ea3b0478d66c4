"""Password hashing: Argon2id, RFC 9106 low-memory profile, bounded so that a flood of sign-ins starves nobody."""

import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app

from backend.core.turns import Turns
from backend.settings import Settings

NICENESS: Final = 10
Outcome = TypeVar("Outcome")
TOO_MANY: Final = "Too many people sign in at this moment. Try again shortly."


class Passwords:
    """Hashes and checks passwords, at most ``at_once`` at a time in this process."""

    def __init__(self, *, memory_kib: int, time_cost: int, parallelism: int, at_once: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._turns = Turns(at_once)
        self._gives_way = False
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords", initializer=self._step_back)
        self._decoy = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The encoded Argon2id hash. Raises Unavailable when too many others wait."""
        return self._in_turn(lambda: self._hasher.hash(_typed(password)))

    def matches(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits. An unknown account (None) costs the same as a known one (OWASP ASVS 5, V6)."""
        try:
            self._in_turn(lambda: self._hasher.verify(encoded or self._decoy, _typed(password)))
        except (VerificationError, InvalidHashError):
            return False
        return encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(encoded)

    def give_way(self) -> None:
        """From now on, hash only what time others leave: for web servers, where people browse meanwhile.

        Not for what runs by itself: a command that makes hundreds of people would starve beside any busy program.
        """
        self._gives_way = True

    def _step_back(self) -> None:
        """On Linux each thread has a niceness of its own."""
        if self._gives_way and sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

    def _in_turn(self, work: Callable[[], Outcome]) -> Outcome:
        with self._turns.taken(otherwise=TOO_MANY):
            return self._threads.submit(work).result()


def _typed(password: str) -> bytes:
    """The bytes to hash: keyboards write the same letter in more than one way (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def init_app(app: Flask, settings: Settings) -> None:
    """Make the hasher of this process."""
    app.extensions["passwords"] = Passwords(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        at_once=settings.hashes_at_once,
    )


def current() -> Passwords:
    """The hasher of the running application."""
    hasher: Passwords = current_app.extensions["passwords"]
    return hasher

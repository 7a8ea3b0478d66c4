"""Password hashing: Argon2id, RFC 9106 low-memory profile, bounded so that a flood of sign-ins starves nobody."""

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app

from backend.core.errors import Unavailable
from backend.settings import Settings

WAIT_SECONDS: Final = 5.0


class Passwords:
    """Hashes and checks passwords, at most ``parallel`` at once in this process."""

    def __init__(self, *, memory_kib: int, time_cost: int, parallelism: int, parallel: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._slots = BoundedSemaphore(parallel)
        self._decoy = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The encoded Argon2id hash. Raises Unavailable when too many others wait."""
        with self._slot():
            return self._hasher.hash(password)

    def matches(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits. An unknown account (None) costs the same time as a known one (OWASP ASVS 5, V6)."""
        with self._slot():
            try:
                fits = self._hasher.verify(encoded or self._decoy, password)
            except (VerificationError, InvalidHashError):
                return False
        return fits and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with weaker parameters than those in force."""
        return self._hasher.check_needs_rehash(encoded)

    def _slot(self) -> "_Slot":
        return _Slot(self._slots)


class _Slot:
    def __init__(self, slots: BoundedSemaphore) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("Too many people sign in at this moment. Try again shortly.", retry_after=5)

    def __exit__(self, *_: object) -> None:
        self._slots.release()


def init_app(app: Flask, settings: Settings) -> None:
    """Make the hasher of this process."""
    app.extensions["passwords"] = Passwords(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
    )


def current() -> Passwords:
    """The hasher of the running application."""
    hasher: Passwords = current_app.extensions["passwords"]
    return hasher

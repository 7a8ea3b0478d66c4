"""Hash passwords with Argon2id in a child process of low priority.

A low-priority thread inside the web server would be descheduled while it holds the interpreter's lock, and stall every
other thread. `python -m backend.core.security.hash_worker` is the child: each line it reads is a job, each line it
writes the result.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.core.child_process import bare_environment

NICENESS: Final = 10
PATIENCE_SECONDS: Final = 1.2
ROOT: Final = Path(__file__).resolve().parents[3]
MATCHES: Final = "matches"


class Cost(NamedTuple):
    """The parameters of Argon2id."""

    memory_kib: int
    time_cost: int
    parallelism: int

    def hasher(self) -> PasswordHasher:
        return PasswordHasher(memory_cost=self.memory_kib, time_cost=self.time_cost, parallelism=self.parallelism)


class WorkerLost(Exception):
    """The hashing process did not respond."""


def hash_or_verify(hasher: PasswordHasher, password: bytes, encoded: str | None = None) -> str:
    """Return a new hash or, if one is given, MATCHES for a matching password and "" otherwise."""
    if encoded is None:
        return hasher.hash(password)
    try:
        hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return ""
    return MATCHES


class HashWorker:
    """A process that hashes one password at a time. It exits when our end of its socket closes.

    It has its own session, because Linux schedules sessions as groups and Ctrl-C must not reach it.
    """

    def __init__(self, ours: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._socket = ours
        self._responses = ours.makefile("r", encoding="ascii", newline="\n")

    @classmethod
    def start(cls, cost: Cost) -> Self:
        """Start the process. Raises WorkerLost if it cannot be started."""
        command = [sys.executable, "-m", __name__, *(str(part) for part in cost)]
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE_SECONDS)
        with theirs:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd=ROOT,
                    env=bare_environment(),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise WorkerLost from error
        return cls(ours, process)

    def ask(self, password: bytes, encoded: str | None = None) -> str:
        """Run :func:`hash_or_verify` in the worker. Raises WorkerLost if it died or timed out; then discard it."""
        fields = [password.hex()] if encoded is None else [password.hex(), encoded.encode().hex()]
        try:
            self._socket.sendall(f"{' '.join(fields)}\n".encode())
            line = self._responses.readline()
        except OSError as error:
            raise WorkerLost from error
        if not line.endswith("\n"):
            raise WorkerLost
        return line.rstrip("\n")

    def end(self) -> None:
        """Kill the process."""
        self._responses.close()
        self._socket.close()
        self.process.kill()
        self.process.wait()


def main(cost: Sequence[str]) -> None:
    """Respond to requests until the socket is closed."""
    hasher = Cost(*map(int, cost)).hasher()
    os.nice(NICENESS)
    with suppress(ConnectionError), socket.socket(fileno=sys.stdin.fileno()) as connection:
        for job in connection.makefile("r", encoding="ascii", newline="\n"):
            password, *encoded = (bytes.fromhex(field) for field in job[:-1].split(" "))
            connection.sendall(f"{hash_or_verify(hasher, password, *(part.decode() for part in encoded))}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])

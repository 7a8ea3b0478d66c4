"""Child processes for untrusted input: no secrets in the environment, and limits on time, memory and files.

The child is ``python -m MODULE ARGUMENTS``. It reads the input from standard input and responds with one line of JSON
followed by bytes. Its module calls :func:`serve`.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
OPEN_FILES: Final = 64
NICENESS: Final = 5


class ChildFailed(Exception):
    """The child ended without a result: it reached a limit, or the input made it crash."""


class ChildTimedOut(ChildFailed):
    """The child exceeded its wall-clock time, which on a busy machine says nothing about the input."""


class ChildResult(NamedTuple):
    """The result of a child: facts, and bytes if it produced any."""

    facts: dict[str, object]
    data: bytes = b""


def bare_environment() -> dict[str, str]:
    """Return an environment for children that contains no settings: no secrets, no server addresses."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


def run(module: str, arguments: Sequence[str], data: bytes, *, seconds: float) -> ChildResult:
    """Run a child process on the data. Raises ChildTimedOut after ``seconds``, ChildFailed for any other failure.

    The child has its own process group, because Ctrl-C in a terminal is for the server, which waits for the child.
    """
    command = [sys.executable, "-B", "-m", module, *arguments]
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            cwd=ROOT,
            env=bare_environment(),
            process_group=0,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildTimedOut(module) from error
    except OSError as error:
        raise ChildFailed(module) from error
    head, separator, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not separator:
        raise ChildFailed(f"{module} ended with {done.returncode}")
    try:
        return ChildResult(json.loads(head), rest)
    except ValueError as error:
        raise ChildFailed(module) from error


def serve(
    work: Callable[[Sequence[str], bytes], ChildResult], *, memory_bytes: int, cpu_seconds: int, threads: bool = False
) -> int:
    """Run as the child: apply the limits, read the input, write the result. Returns the exit status.

    ``threads``: the work needs threads of its own.
    """
    confine(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds, threads=threads)
    result = work(sys.argv[1:], sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(result.facts).encode() + b"\n" + result.data)
    sys.stdout.buffer.flush()
    return 0


def confine(*, memory_bytes: int, cpu_seconds: int, threads: bool = False) -> None:
    """Limit this process permanently: no further processes or threads, no writing of files, low priority.

    Processes cannot be told from threads: where ``threads`` are needed, neither is limited.
    """
    os.nice(NICENESS)
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
    }
    if not threads:
        limits[resource.RLIMIT_NPROC] = 0
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # the system may have a lower limit, or none of this kind
            resource.setrlimit(kind, (limit, limit))

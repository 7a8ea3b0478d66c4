"""Starts child processes that never outlive the launcher, and stops processes by SIGTERM, then SIGKILL."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

MARK = "DOORSTEP_STARTED_BY"
PR_SET_PDEATHSIG = 1


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    output: int | None = None,
    errors: IO[bytes] | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
    user: int | None = None,
    cwd: Path | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in its own session (Ctrl-C reaches only the launcher) that is signalled if the launcher dies.

    It has the given file descriptors under the same numbers.
    """
    return subprocess.Popen(
        [str(part) for part in argv],
        env=dict(env),
        cwd=cwd,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors or (subprocess.STDOUT if output is not None else None),
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=[] if user is not None else None,
        preexec_fn=_before_exec(on_parent_death),  # noqa: PLW1509 - the launcher has a single thread
    )


def die_with_parent(wanted: signal.Signals) -> None:
    """Have the kernel signal this process when its parent dies."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(wanted), 0, 0, 0)


def _before_exec(wanted: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def before_exec() -> None:
        die_with_parent(wanted)
        if os.getppid() != parent:  # the parent died between fork and prctl, so no signal will come
            os._exit(1)

    return before_exec


def run(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, errors: IO[bytes] | None = None
) -> tuple[int, str]:
    """Run to completion and return exit code and output. An interruption also kills everything it started."""
    process = spawn(argv, env=env, output=subprocess.PIPE, errors=errors, cwd=cwd, on_parent_death=signal.SIGKILL)
    try:
        output, _ = process.communicate()
    finally:
        kill_group(process)
        process.wait()
    return process.returncode, output.decode(errors="replace")


def end(process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """Terminate the process, wait, then kill it with everything it started."""
    if process.poll() is None:
        process.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process's session, whether or not its leader is dead."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def marked(mark: str) -> list[psutil.Process]:
    """Return running processes with this mark, from an earlier or the current start, except this one."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def end_marked(mark: str, *, patience: float = 10.0) -> int:
    """Stop all marked processes and return how many there were."""
    return end_all(marked(mark), patience=patience)


def end_all(processes: Iterable[psutil.Process], *, first: int = signal.SIGTERM, patience: float = 10.0) -> int:
    """Terminate all of them, wait, and kill the rest."""
    targets = list(processes)
    for process in targets:
        with contextlib.suppress(psutil.Error):
            process.send_signal(first)
    _, alive = psutil.wait_procs(targets, timeout=patience)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return len(targets)


def running(pid: int, *, program: str) -> psutil.Process | None:
    """Return the process with this id if it is alive and is that program (ids are reused)."""
    try:
        process = psutil.Process(pid)
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return process if alive and Path(process.exe()).name == program else None
    except (psutil.Error, OSError):
        return None


def wait_until(ready: Callable[[], bool], *, seconds: float, pause: float = 0.03) -> bool:
    """Poll until the condition holds or the time is over."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if ready():
            return True
        time.sleep(pause)
    return ready()

"""Password hashing in low-priority worker processes, which may be killed or freeze."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from backend.core.security import hash_worker
from backend.core.security.hash_worker import NICENESS, ROOT
from backend.core.security.password_hashing import BoundedPasswordHasher
from tests.waiting import HANG_SECONDS

CHEAP = {"memory_kib": 16, "time_cost": 1, "parallelism": 1}
ODD = "a garden\nat dusk \x00 \ud800 é"
ENDS_AT_ONCE = f"""
import os
from backend.core.security.password_hashing import BoundedPasswordHasher
web = BoundedPasswordHasher(**{CHEAP})
web.use_workers()
assert web.hash("a garden at dusk")
os._exit(0)
"""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedPasswordHasher]:
    """Return a hasher as in a web server, with a long timeout for its process to start."""
    monkeypatch.setattr(hash_worker, "PATIENCE_SECONDS", 60.0)
    passwords = BoundedPasswordHasher(**CHEAP)
    passwords.use_workers()
    yield passwords
    passwords.close()


def test_hash_workers_run_at_low_priority_only_in_web_server(web: BoundedPasswordHasher) -> None:
    by_itself = BoundedPasswordHasher(**CHEAP)
    assert by_itself.matches(by_itself.hash(ODD), ODD)
    assert not by_itself._workers
    web.hash(ODD)
    pid = web._workers[0].process.pid
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    assert os.getsid(pid) == pid


def test_hash_in_worker_process_is_compatible_with_direct_hash(web: BoundedPasswordHasher) -> None:
    by_itself = BoundedPasswordHasher(**CHEAP)
    encoded = web.hash(ODD)
    assert by_itself.matches(encoded, ODD)
    assert web.matches(by_itself.hash(ODD), ODD)
    assert not web.matches(encoded, ODD + " ")
    assert not web.matches(None, "a password that nobody has")
    assert not web.matches("no hash\nat all", ODD)
    assert web.matches(web.hash(""), "")
    assert len(web._workers) == 1, "one process did all the work"


def test_hash_worker_that_was_killed_is_replaced(web: BoundedPasswordHasher) -> None:
    encoded = web.hash(ODD)
    first = web._workers[0].process
    first.kill()
    first.wait()
    assert web.matches(encoded, ODD)
    assert not web.matches(encoded, "another")
    assert web._workers[0].process.pid != first.pid


def test_hash_worker_that_hangs_is_killed_and_replaced(web: BoundedPasswordHasher) -> None:
    encoded = web.hash(ODD)
    frozen = web._workers[0]
    frozen._socket.settimeout(0.05)
    frozen.process.send_signal(signal.SIGSTOP)
    assert web.matches(encoded, ODD)
    assert frozen.process.returncode == -signal.SIGKILL


def test_hash_without_worker_processes_runs_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    web = BoundedPasswordHasher(**CHEAP)
    web.use_workers()
    assert web.matches(web.hash(ODD), ODD)
    assert not web._workers


def test_hash_worker_ends_with_its_server() -> None:
    """Its output is read to the end, which requires that all processes that share it have ended."""
    done = subprocess.run(
        [sys.executable, "-c", ENDS_AT_ONCE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")

"""Child processes for untrusted input: no secrets in their environment, and resource limits."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.core import child_process
from backend.core.child_process import ChildFailed, ChildTimedOut
from backend.core.security import hash_worker
from backend.core.security.hash_worker import Cost
from backend.domain.documents import pdf, picture
from tests.factories.files import pdf as make_pdf
from tests.factories.files import picture as make_picture
from tests.waiting import HANG_SECONDS

PROBE = """
import os, socket, sys, threading
from backend.core import child_process

def attempt(what):
    try:
        what()
    except (OSError, RuntimeError, MemoryError) as error:
        return type(error).__name__
    return "done"

def write():
    with open("written by a child", "wb") as file:
        file.write(b"x")
        file.flush()

def work(arguments, data):
    if arguments == ["spin"]:
        while True:
            pass
    if arguments == ["crash"]:
        os.abort()
    files = []
    facts = {
        "environment": sorted(os.environ),
        "folder": os.getcwd(),
        "niceness": os.nice(0),
        "memory": attempt(lambda: bytearray(600 << 20)),
        "write": attempt(write),
        "files": attempt(lambda: files.extend(open(os.devnull) for _ in range(200))),
    }
    return child_process.ChildResult(facts, data[::-1])

if __name__ == "__main__":
    sys.exit(child_process.serve(work, memory_bytes=512 << 20, cpu_seconds=1))
"""


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create a module that reports what it may do, in a folder that replaces the repository."""
    (tmp_path / "probe.py").write_text(PROBE)
    (tmp_path / "backend").symlink_to(child_process.ROOT / "backend")
    monkeypatch.setattr(child_process, "ROOT", tmp_path)
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    return "probe"


def test_child_process_has_no_secrets_and_limited_resources(probe: str, tmp_path: Path) -> None:
    answer = child_process.run(probe, [], b"line\none", seconds=30)
    facts: dict[str, Any] = answer.facts
    assert set(facts["environment"]) <= {"PATH", "LANG", "LC_CTYPE", "MALLOC_ARENA_MAX"}
    assert Path(facts["folder"]) == tmp_path
    assert facts["niceness"] == min(19, os.nice(0) + child_process.NICENESS)
    assert facts["memory"] == "MemoryError"
    assert facts["write"] == "OSError"
    assert facts["files"] == "OSError"
    assert answer.data == b"eno\nenil"
    assert (tmp_path / "written by a child").stat().st_size == 0


def test_child_process_over_cpu_limit_fails(probe: str) -> None:
    with pytest.raises(ChildFailed) as caught:
        child_process.run(probe, ["spin"], b"", seconds=60)
    assert not isinstance(caught.value, ChildTimedOut), "a busy machine must not look like a bad file"


def test_child_process_that_crashes_fails(probe: str) -> None:
    with pytest.raises(ChildFailed):
        child_process.run(probe, ["crash"], b"", seconds=30)


def test_child_process_over_wall_clock_limit_times_out(probe: str) -> None:
    with pytest.raises(ChildTimedOut):
        child_process.run(probe, ["spin"], b"", seconds=0.05)


def test_document_inspection_works_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert child_process.run(pdf.__name__, ["check"], make_pdf(pages=2), seconds=60).facts == {"pages": 2}
    answer = child_process.run(picture.__name__, ["redraw", "image/png"], make_picture(), seconds=60)
    assert answer.facts == {"pages": 1}
    assert answer.data.startswith(b"\x89PNG")


def test_hash_worker_environment_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setattr(hash_worker, "PATIENCE_SECONDS", 60.0)
    worker = hash_worker.HashWorker.start(Cost(16, 1, 1))
    try:
        assert worker.ask(b"a garden at dusk").startswith("$argon2id$")
        environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes()
    finally:
        worker.end()
    assert b"SECRET_KEY" not in environment
    assert b"PATH=" in environment


def test_web_server_process_does_not_import_document_decoders() -> None:
    """A bug in a decoder must not affect the process that holds the keys."""
    code = "import sys, backend.domain.professionals.actions; print([m for m in ('PIL', 'pypdf') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=child_process.ROOT,
        timeout=HANG_SECONDS,
    )
    assert done.stdout.strip() == "[]"

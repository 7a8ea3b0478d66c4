"""The supervisor restarts ended programs with growing delays, ends process groups, and rotates logs."""

import os
import socket
import stat
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from backend.launch import handover, private_files, processes
from backend.launch.supervisor import Program, Supervisor
from tests.waiting import HANG_SECONDS, wait_until

PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).wait()"


def program(folder: Path, code: str, *, patience: float = 5) -> Program:
    return Program("part", [sys.executable, "-c", code], dict(os.environ), folder / "part.log", patience=patience)


def test_supervisor_restarts_failed_program_with_growing_delay(tmp_path: Path) -> None:
    messages: list[str] = []
    supervisor = Supervisor(say=messages.append)
    supervisor.add(program(tmp_path, "raise SystemExit(3)"))

    def has_failed_three_times() -> bool:
        supervisor.check()
        return supervisor.failures() == 3

    assert wait_until(has_failed_three_times)
    supervisor.stop()
    assert [line.rsplit(" in ", 1)[1] for line in messages] == ["0.5 s", "1 s", "2 s"]


def test_program_stop_ends_its_child_processes(tmp_path: Path) -> None:
    part = program(tmp_path, PARENT)
    part.start()
    assert part.process is not None
    leader = psutil.Process(part.process.pid)
    assert wait_until(lambda: bool(leader.children()))
    child = leader.children()[0]
    part.stop()
    assert wait_until(lambda: not child.is_running())


def test_program_stop_kills_program_that_ignores_sigterm(tmp_path: Path) -> None:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"{ignore}; print('ready', flush=True); time.sleep(600)"
    part = program(tmp_path, code, patience=0.3)
    part.start()
    assert wait_until(lambda: "ready" in part.log.read_text())
    part.stop()
    assert not part.alive()


def test_end_marked_ends_only_processes_with_the_mark(tmp_path: Path) -> None:
    mark = str(tmp_path)
    for folder in (mark, mark + "-other"):
        (tmp_path / Path(folder).name).mkdir()
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    ours = processes.spawn(argv, env={**os.environ, processes.MARK: mark})
    other = processes.spawn(argv, env={**os.environ, processes.MARK: mark + "-other"})
    try:
        assert wait_until(lambda: len(processes.marked(mark)) == 1)
        assert processes.end_marked(mark) == 1
        assert other.poll() is None
    finally:
        processes.end(ours)
        processes.end(other)


def test_supervisor_rotates_log_while_program_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.launch.supervisor.LARGEST_LOG", 1000)
    monkeypatch.setattr("backend.launch.supervisor.LOG_CHECK_SECONDS", 0.0)
    writes = "import itertools, time\nfor n in itertools.count():\n    print(n, flush=True)\n    time.sleep(0.001)"
    part = program(tmp_path, writes)
    supervisor = Supervisor(say=print)
    supervisor.add(part)

    def rotated_twice() -> bool:
        supervisor.check()
        return (tmp_path / "part.log.2").exists() and part.log.stat().st_size > 0

    assert wait_until(rotated_twice, pause=0.01)
    assert part.alive()
    supervisor.stop()
    older, newer = ((tmp_path / f"part.log{end}").read_text().split() for end in (".1", ""))
    assert len((tmp_path / "part.log.1").read_text()) > 1000
    assert int(older[-1]) < int(newer[0]), "the program continues to write to the same file"
    assert (tmp_path / "part.log.2").read_text().startswith("0\n")


def test_rotate_keeps_three_old_logs(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    for number in range(6):
        log.write_text(f"log {number}")
        assert private_files.rotate(log, largest=1)
    assert not private_files.rotate(log, largest=1), "an empty log stays"
    kept = sorted(path.name for path in tmp_path.glob("part.log*"))
    assert kept == ["part.log", "part.log.1", "part.log.2", "part.log.3"]
    assert (tmp_path / "part.log.3").read_text() == "log 3"


def test_log_files_are_readable_only_by_owner(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "part.log"
    log.parent.mkdir(mode=0o755)
    log.write_text("made by an earlier version")
    log.chmod(0o644)
    part = Program("part", [sys.executable, "-c", "print('one')"], dict(os.environ), log, patience=5)
    part.start()
    part.stop()
    private_files.rotate(log, largest=1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in log.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def waiting_program(folder: Path, code: str = "pass", *, patience: float = 5) -> Program:
    return program(folder, f"{code}; import time; time.sleep(600)", patience=patience)


def test_staged_program_replaces_running_one_or_is_ended(tmp_path: Path) -> None:
    supervisor = Supervisor(say=print)
    first, broken, second = (waiting_program(tmp_path) for _ in range(3))
    supervisor.add(first)
    supervisor.stage(broken)
    assert (first.alive(), broken.alive()) == (True, True)
    supervisor.discard("part")
    assert wait_until(lambda: not broken.alive())
    assert (first.alive(), supervisor.program("part")) == (True, first)
    supervisor.stage(second)
    supervisor.promote("part")
    assert supervisor.program("part") is second

    def first_has_ended() -> bool:
        supervisor.check()
        return not first.alive()

    assert wait_until(first_has_ended)
    assert second.alive()
    assert supervisor.failures() == 0
    with pytest.raises(KeyError):
        supervisor.promote("part")
    supervisor.stop()


def test_discarded_program_that_hangs_holds_nothing_up_and_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(say=print)
    ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)"
    hanging = waiting_program(tmp_path, ignores, patience=HANG_SECONDS)
    supervisor.stage(hanging)
    assert wait_until(lambda: "ready" in hanging.log.read_text())
    supervisor.discard("part")
    supervisor.check()
    assert hanging.alive(), "its time is not over, and nobody waits for it"
    hanging.kill()
    impatient = waiting_program(tmp_path, ignores.replace("ready", "impatient"), patience=0.1)
    supervisor.stage(impatient)
    assert wait_until(lambda: "impatient" in impatient.log.read_text())
    supervisor.discard("part")

    def is_killed() -> bool:
        supervisor.check()
        return not impatient.alive()

    assert wait_until(is_killed)
    supervisor.stop()


def test_replaced_program_ends_after_its_last_client(tmp_path: Path) -> None:
    """The first program has a child with a client's connection; it ends when that is closed, long before its time."""
    supervisor = Supervisor(say=print)
    with handover.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            listener.setblocking(True)
            accepted, _ = listener.accept()
            waiting = waiting_program(
                tmp_path,
                "import signal, subprocess, sys; signal.signal(signal.SIGUSR2, lambda *_: None); "
                f"subprocess.Popen([sys.executable, '-c', 'import os, time; os.read({accepted.fileno()}, 1)'], "
                f"pass_fds=[{accepted.fileno()}])",
            )
            first = replace(waiting, port=port, leaving_seconds=HANG_SECONDS, descriptors=(accepted.fileno(),))
            supervisor.add(first)
            accepted.close()
            assert wait_until(first.has_clients)
            supervisor.stage(waiting_program(tmp_path))
            supervisor.promote("part")
            supervisor.check()
            assert first.alive()
            client.close()

        def first_has_ended() -> bool:
            supervisor.check()
            return not first.alive()

        assert wait_until(first_has_ended)
    supervisor.stop()

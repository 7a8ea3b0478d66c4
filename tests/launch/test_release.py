"""Processes run from copies of the sources, make changes no packages under them, and an upgrade asks the launcher."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend.launch import control, processes, release, upgrade
from backend.launch.control import Launcher
from backend.launch.errors import LaunchError
from backend.launch.replacement import Replacement
from backend.launch.supervisor import Program, Supervisor
from backend.settings import ROOT, Settings
from tests.waiting import wait_until


def test_release_is_used_again_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, data = tmp_path / "checkout", tmp_path / "data"
    source = checkout / "backend" / "app.py"
    source.parent.mkdir(parents=True)
    source.write_text("first")
    monkeypatch.setattr(release, "ROOT", checkout)
    first = release.make(data)
    assert release.make(data) == first
    source.write_text("the second")
    second = release.make(data)
    assert [(one / "backend" / "app.py").read_text() for one in (first, second)] == ["first", "the second"]
    release.drop_others(data, [second])
    assert list((data / release.FOLDER).iterdir()) == [second]


def test_packages_in_use_are_not_changed_and_upgrade_gets_others(tmp_path: Path) -> None:
    environment = tmp_path / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    lock, stamp = tmp_path / "requirements.lock", environment / ".runtime"
    lock.write_text("a==1\n")
    stamp.touch()

    def run(script: str) -> "subprocess.CompletedProcess[str]":
        argv = ["sh", str(ROOT / ".ci" / script), ".venv"]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("upgrade-venv").stdout == ".venv\n"
    os.utime(stamp, (0, 0))
    assert run("upgrade-venv").stdout.startswith(".venv-")
    named = run("upgrade-venv").stdout.strip()
    (tmp_path / named).mkdir()
    other = tmp_path / named / ".runtime"
    other.touch()
    os.utime(other, (0, 0))
    assert run("upgrade-venv").stdout.strip() == named
    assert other.stat().st_mtime >= lock.stat().st_mtime, "else make would install into it again"
    assert run("in-use").returncode == 0
    held = release.hold(environment)
    assert held is not None
    with held:
        refused = run("in-use")
    assert (refused.returncode, "run make upgrade" in refused.stderr) == (1, True)
    assert run("in-use").returncode == 0


def test_upgrade_keeps_the_packages_for_spans(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-telemetry.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    environment = tmp_path / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to("/bin/true")
    for name in (".made", ".runtime", ".telemetry"):
        (environment / name).touch()

    def planned() -> str:
        return subprocess.run(
            ["make", "--dry-run", "upgrade"],  # noqa: S607 - make is on PATH
            env={"PATH": os.environ["PATH"]}, cwd=tmp_path, capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip

    assert "requirements" not in planned()
    for lock in ("requirements.lock", "requirements-telemetry.lock"):
        for name in (".runtime", ".telemetry"):
            (environment / name).touch()
        os.utime(environment / (".runtime" if lock == "requirements.lock" else ".telemetry"), (1, 1))
        assert "-r requirements-telemetry.lock" in planned(), f"{lock} has changed"
    (environment / ".telemetry").unlink()
    os.utime(environment / ".runtime", (1, 1))
    assert "-r requirements-telemetry.lock" not in planned()


def test_environments_of_earlier_upgrades_are_removed_unless_used(tmp_path: Path) -> None:
    used, unused = tmp_path / ".venv-1", tmp_path / ".venv-2"
    for environment in (used, unused):
        environment.mkdir()
    held = release.hold(used)
    assert held is not None
    with held:
        release.drop_environments(tmp_path)
    assert (used.exists(), unused.exists()) == (True, False)


def test_upgrade_without_running_product_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="Start the new version: make run"):
        Launcher.find(tmp_path)


WAITS = "import time; time.sleep(600)"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Replacement]:
    """Return what a launcher does when asked, with one web server that listens nowhere."""
    supervisor = Supervisor(say=print)
    argv = [sys.executable, "-c", WAITS]
    supervisor.add(Program("web", argv, dict(os.environ), tmp_path / "web.log", patience=5))
    with closing(Replacement(supervisor, [])) as replacement:
        yield replacement
    supervisor.stop()


def start(replacement: Replacement, folder: Path, *, asker: int) -> int:
    """Ask for a new web server, and return its process id."""
    argv = [sys.executable, "-c", WAITS]
    request = {"do": "start", "name": "web", "argv": argv, "folder": str(folder), "token": "t", "asker": asker}
    return int(str(replacement.handle(request)["pid"]))


def test_discarded_web_server_is_killed_before_its_gate_opens(running: Replacement, tmp_path: Path) -> None:
    first = start(running, tmp_path, asker=os.getpid())
    second = start(running, tmp_path, asker=os.getpid())
    assert (upgrade.is_alive(first), upgrade.is_alive(second)) == (False, True)
    running.handle({"do": "discard", "name": "web"})
    assert not upgrade.is_alive(second)


def test_new_process_of_killed_upgrade_is_ended(running: Replacement, tmp_path: Path) -> None:
    asker = subprocess.Popen([sys.executable, "-c", WAITS])
    pid = start(running, tmp_path, asker=asker.pid)
    running.discard_abandoned()
    assert upgrade.is_alive(pid)
    asker.kill()
    asker.wait()
    running.discard_abandoned()
    assert not upgrade.is_alive(pid)


def test_request_that_cannot_be_executed_gets_an_error_and_harms_nothing(running: Replacement, tmp_path: Path) -> None:
    def respond(**request: object) -> str:
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / control.REQUEST).write_text(json.dumps(request))
        control.serve(tmp_path, running.handle)
        return str(json.loads((tmp_path / control.RESPONSE).read_text())["error"])

    assert "'start': KeyError('argv')" in respond(do="start", name="web")
    assert "'promote': KeyError('beat')" in respond(do="promote", name="beat")
    assert "ValueError" in respond(do="start", name="web", argv=["\0"], folder=".", token="", asker=1)
    assert "does not know the request 'dance'" in respond(do="dance", name="web")
    assert running.supervisor.program("web").alive()


def test_upgrade_takes_the_settings_with_which_the_product_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": port, "WEB_WORKERS": "7"}
    announce = "from backend.launch import control; from backend.settings import Settings; import time; "
    code = f"{announce}control.announce(Settings.from_env()); time.sleep(600)"
    launcher = processes.spawn([sys.executable, "-c", code], env=given, cwd=ROOT)
    try:
        assert wait_until((tmp_path / control.LAUNCHER).exists)
        monkeypatch.setattr(os, "environ", {"DATA_DIR": str(tmp_path), "PORT": "1", "DRAIN_SECONDS": "9"})
        settings, found = upgrade.find_product()
    finally:
        processes.end(launcher)
    assert (settings.port, settings.web_workers, found.pid) == (int(port), 7, launcher.pid)
    assert settings.drain_seconds == Settings.from_env({}).drain_seconds

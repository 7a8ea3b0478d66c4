"""Processes run from copies of the sources, and make changes no packages under them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.launch import release
from backend.launch.control import Launcher
from backend.launch.errors import LaunchError
from backend.settings import ROOT


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
    assert run("in-use").returncode == 0
    held = release.hold(environment)
    assert held is not None
    with held:
        refused = run("in-use")
    assert (refused.returncode, "run make upgrade" in refused.stderr) == (1, True)
    assert run("in-use").returncode == 0


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

"""The commands of the README and of the tutorial work on the running product."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from backend.settings import ROOT
from tests.harness.caller import ADMIN_PASSWORD
from tests.harness.market import RunningMarket
from tests.waiting import HANG_SECONDS

pytestmark = pytest.mark.launch


def commands(name: str) -> str:
    """Return all bash blocks of a page as one script."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks, f"{name} has no block of bash"
    return "".join(blocks)


def run(market: RunningMarket, name: str, folder: Path) -> list[str]:
    """Run the commands of a page and return the lines that they print."""
    environment = {**os.environ, "MARKET": market.url(""), "ADMIN_PASSWORD": ADMIN_PASSWORD, "no_proxy": "127.0.0.1"}
    if shutil.which("curl") is None:  # the calls are checked on machines without curl as well
        (folder / "curl").symlink_to(ROOT / "tests" / "harness" / "curl.py")
        environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", commands(name)],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_tutorial_commands_complete_a_request(market: RunningMarket, tmp_path: Path) -> None:
    isactive, approval, found, *states, rating, unread = run(market, "docs/tutorials/first-market.md", tmp_path)
    assert (isactive, approval, rating) == ("1", "approved", "5")
    assert "Plumbing" in found
    assert states == ["accepted", "completed", "closed"]
    assert int(unread) >= 3
    market.inbox.wait_for("asha@example.org", subject="Closed")


def test_readme_commands_return_documented_results(market: RunningMarket, tmp_path: Path) -> None:
    printed = "".join(run(market, "README.md", tmp_path))
    search, end = json.JSONDecoder().raw_decode(printed)
    places = json.loads(printed[end:])
    assert set(search) >= {"items", "next_cursor"}
    assert len(places["items"]) == 3
    assert all(place["pincode"].startswith("5600") for place in places["items"])


def test_files_named_in_documents_exist() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
        for path in re.findall(r"`((?:backend|tests|frontend|docs|benchmarks)/[\w./-]+\.(?:py|md|ts|vue|json))`", text):
            assert (ROOT / path).exists(), f"{document.name} names {path}"

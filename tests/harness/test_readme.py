"""The README's example is true: its very lines are run against the running product."""

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


def example() -> str:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1, "the journey is the README's one block of bash"
    return str(blocks[0])


def test_the_journey_with_curl(market: RunningMarket, tmp_path: Path) -> None:
    environment = {**os.environ, "MARKET": market.url(""), "ADMIN_PASSWORD": ADMIN_PASSWORD, "no_proxy": "127.0.0.1"}
    if shutil.which("curl") is None:  # a machine that has none still checks the calls
        (tmp_path / "curl").symlink_to(ROOT / "tests" / "harness" / "curl.py")
        environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", example()],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    isactive, approval, found, *states, rating, unread = done.stdout.splitlines()
    assert (isactive, approval, rating) == ("1", "approved", "5")
    assert "Plumbing" in found
    assert states == ["accepted", "completed", "closed"]
    assert int(unread) >= 3
    market.inbox.wait_for("asha@example.org", subject="Closed")


def test_every_file_that_documents_name_is_there() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
        for path in re.findall(r"`((?:backend|tests|frontend|docs|benchmarks)/[\w./-]+\.(?:py|md|ts|vue|json))`", text):
            assert (ROOT / path).exists(), f"{document.name} names {path}"

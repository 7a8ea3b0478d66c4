"""`make test`: every check and every test, two at a time, and one line at the end that sums up what passed."""

import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "build" / "test"
PART_SECONDS: Final = 1500
PYTHON: Final = sys.executable
NPM: Final = str(Path(PYTHON).parent / "npm")


@dataclass
class Part:
    """One command; a check counts as one test, a test run as many as its report holds."""

    name: str
    argv: list[str]
    folder: Path = ROOT
    reports: bool = False
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def report(self) -> Path:
        return RESULTS / f"{self.name}.xml"

    @property
    def log(self) -> Path:
        return RESULTS / f"{self.name}.log"


def check(name: str, *argv: str, folder: Path = ROOT) -> Part:
    return Part(name, list(argv), folder=folder)


def pytest(name: str, *arguments: str) -> Part:
    report = f"--junitxml={RESULTS / name}.xml"
    return Part(name, [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", report, *arguments], reports=True)


def vitest(name: str) -> Part:
    report = f"--outputFile.junit={RESULTS / name}.xml"
    argv = [NPM, "test", "--silent", "--", "--reporter=default", "--reporter=junit", report]
    return Part(name, argv, folder=ROOT / "frontend", reports=True)


def lanes() -> tuple[list[Part], list[Part]]:
    """Two lists that run beside each other: what needs the web application, and what does not."""
    web = ROOT / "frontend"
    elsewhere = ["--ignore=tests/faults", "--ignore=tests/launch", "--ignore=tests/browser"]
    with_web = [
        check("frontend-install", PYTHON, "-m", "backend.launch.frontend", "install"),
        check("frontend-lint", NPM, "run", "--silent", "lint", folder=web),
        check("frontend-types", NPM, "run", "--silent", "types", folder=web),
        check("frontend-client", PYTHON, "-m", "tests.client_is_fresh"),
        vitest("frontend-unit"),
        check("frontend-build", PYTHON, "-m", "backend.launch.frontend"),
        check("frontend-budget", NPM, "run", "--silent", "budget", folder=web),
        pytest("launch", "tests/launch"),
        pytest("browser", "tests/browser"),
    ]
    without = [
        check("lint", PYTHON, "-m", "ruff", "check", "."),
        check("format", PYTHON, "-m", "ruff", "format", "--check", "."),
        check("imports", str(Path(PYTHON).parent / "lint-imports"), "--no-cache"),
        check("types", PYTHON, "-m", "mypy"),
        pytest("backend", "tests", *elsewhere),
        pytest("faults", "tests/faults"),
    ]
    return without, with_web


def environment() -> dict[str, str]:
    """With the environment's own programs first: its Node, not the machine's."""
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "CI": "1"}


def carry_out(part: Part) -> None:
    """Run the part; a part that reports nothing counts as one test that passed or failed."""
    part.report.unlink(missing_ok=True)
    began = time.monotonic()
    with part.log.open("wb") as log:
        try:
            code = subprocess.run(
                part.argv, cwd=part.folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                timeout=PART_SECONDS, check=False, env=environment(),
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
            log.write(f"\nended after {PART_SECONDS} s\n".encode())
    part.seconds = time.monotonic() - began
    part.passed, part.failed = count(part.report) if part.reports else (int(code == 0), int(code != 0))
    if code != 0 and part.failed == 0:
        part.failed = 1


def count(report: Path) -> tuple[int, int]:
    """Passed and failed of a JUnit report. A skipped test is a failure: here every part can run."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except (OSError, ET.ParseError):
        return 0, 1
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    names = ("failures", "errors", "skipped")
    bad = sum(int(suite.get(name, 0)) for suite in suites for name in names)
    return total - bad, bad


def run_lane(parts: list[Part], say: threading.Lock) -> None:
    for part in parts:
        carry_out(part)
        with say:
            print(f"{'ok  ' if not part.failed else 'FAIL'} {part.name:18}{part.passed:6} passed"
                  f"{part.failed:5} failed {part.seconds:7.1f} s", flush=True)  # fmt: skip
            if part.failed:
                told = re.sub(r"\x1b\[[0-9;]*m", "", part.log.read_text(errors="replace")).splitlines()
                print("\n".join(f"     | {line}" for line in told[-60:]), flush=True)


def main() -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    began, say = time.monotonic(), threading.Lock()
    both = lanes()
    threads = [threading.Thread(target=run_lane, args=(lane, say)) for lane in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts = [part for lane in both for part in lane]
    print(f"\nAll parts took {time.monotonic() - began:.0f} s; their output is in {RESULTS.relative_to(ROOT)}/")
    passed, failed = sum(part.passed for part in parts), sum(part.failed for part in parts)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

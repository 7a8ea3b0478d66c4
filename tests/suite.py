"""`make test`: every check and every test, four at a time, and one line at the end that sums up what passed."""

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
PART_SECONDS: Final = 2400
MOST_AGAIN: Final = 5  # more failed tests than this are no coincidence
AT_ONCE: Final = 4  # on two cores: tests of processes and of the browser wait for more than half of their time
PYTHON: Final = sys.executable
NPM: Final = str(Path(PYTHON).parent / "npm")


@dataclass
class Part:
    """One command; a check counts as one test, a test run as many as its report contains.

    ``after``: the parts that must have ended, because they make what this one needs or would write over it.
    """

    name: str
    argv: list[str]
    folder: Path = ROOT
    reports: bool = False
    after: tuple[str, ...] = ()
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def report(self) -> Path:
        return RESULTS / f"{self.name}.xml"

    @property
    def log(self) -> Path:
        return RESULTS / f"{self.name}.log"


def check(name: str, *argv: str, folder: Path = ROOT, after: tuple[str, ...] = ()) -> Part:
    return Part(name, list(argv), folder=folder, after=after)


def pytest(name: str, *arguments: str, after: tuple[str, ...] = ()) -> Part:
    report = f"--junitxml={RESULTS / name}.xml"
    argv = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", report, *arguments]
    return Part(name, argv, reports=True, after=after)


def vitest(name: str, *, after: tuple[str, ...]) -> Part:
    report = f"--outputFile.junit={RESULTS / name}.xml"
    argv = [NPM, "test", "--silent", "--", "--reporter=default", "--reporter=junit", report]
    return Part(name, argv, folder=ROOT / "frontend", reports=True, after=after)


# What looks at pages one by one takes as long as the journeys through them, and needs no marketplace with them.
PAGES: Final = tuple(f"tests/browser/test_{name}.py" for name in ("pages", "prerendered_pages", "phone", "journey"))


def parts() -> list[Part]:
    """Return the parts in starting order: prerequisites of others first, then the longest."""
    web = ROOT / "frontend"
    own = [f"tests/{folder}" for folder in ("api", "faults", "launch", "browser", "scale")]
    installed, generated, built = ("frontend-install",), ("frontend-client",), ("frontend-build",)
    return [
        check("frontend-install", PYTHON, "-m", "backend.launch.frontend", "install"),
        check("lint", PYTHON, "-m", "ruff", "check", "."),
        check("format", PYTHON, "-m", "ruff", "format", "--check", "."),
        check("imports", str(Path(PYTHON).parent / "lint-imports"), "--no-cache"),
        pytest("backend", "tests", *(f"--ignore={folder}" for folder in own)),
        pytest("faults", "tests/faults"),
        check("frontend-client", PYTHON, "-m", "tests.client_is_fresh", after=installed),
        check("frontend-build", PYTHON, "-m", "backend.launch.frontend", after=generated),
        pytest("browser", "tests/browser", *(f"--ignore={module}" for module in PAGES), after=built),
        pytest("browser-pages", *PAGES, after=built),
        pytest("launch", "tests/launch", after=built),
        pytest("api", "tests/api"),
        pytest("scale", "tests/scale", "-m", "not long"),
        vitest("frontend-unit", after=generated),
        check("frontend-promises", NPM, "run", "--silent", "lint:promises", folder=web, after=generated),
        check("types", PYTHON, "-m", "mypy"),
        check("frontend-lint", NPM, "run", "--silent", "lint", folder=web, after=generated),
        check("frontend-types", NPM, "run", "--silent", "types", folder=web, after=generated),
        check("frontend-budget", NPM, "run", "--silent", "budget", folder=web, after=built),
    ]


class Schedule:
    """Gives out the parts in order, each once its prerequisites have ended."""

    def __init__(self, waiting: list[Part]) -> None:
        self._waiting = list(waiting)
        self._ended: set[str] = set()
        self._changed = threading.Condition()

    def take(self) -> Part | None:
        """Wait for the next part that may start and return it; None when all have started."""
        with self._changed:
            while self._waiting:
                for part in self._waiting:
                    if self._ended.issuperset(part.after):
                        self._waiting.remove(part)
                        return part
                self._changed.wait()
            return None

    def end(self, part: Part) -> None:
        """Allow parts that waited for this one to start, whether it passed or not."""
        with self._changed:
            self._ended.add(part.name)
            self._changed.notify_all()


def environment() -> dict[str, str]:
    """Return the environment with the virtual environment's programs first on PATH, such as its Node.

    Python keeps what it compiles, also where images of containers turn that off: the tests start hundreds of processes,
    and each would compile the whole application again.
    """
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**given, "PATH": path, "NO_COLOR": "1", "CI": "1"}


def run_part(part: Part) -> None:
    """Run the part; a part without a report counts as one test."""
    part.report.unlink(missing_ok=True)
    started = time.monotonic()
    with part.log.open("wb") as log:
        try:
            code = subprocess.run(
                part.argv, cwd=part.folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                timeout=PART_SECONDS, check=False, env=environment(),
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
            log.write(f"\nended after {PART_SECONDS} s\n".encode())
    part.seconds = time.monotonic() - started
    part.passed, part.failed = count(part.report) if part.reports else (int(code == 0), int(code != 0))
    if code != 0 and part.failed == 0:
        part.failed = 1


def failed_tests(part: Part) -> list[str]:
    """Return the failed tests of a pytest run by the names that pytest takes."""
    log = part.log.read_text(errors="replace")
    return re.findall(r"^(?:FAILED|ERROR) (tests/\S+?::.+?)(?: - .*)?$", log, re.MULTILINE)


def run_alone(part: Part) -> list[str]:
    """Run the failed tests of a part again with nothing beside them, and return them if they all pass then.

    A test that fails only beside others has a defect; the suite names it, and the product is not at fault.
    """
    tests = failed_tests(part)
    if len(tests) != part.failed or part.failed > MOST_AGAIN:
        return []
    with part.log.open("ab") as log:
        code = subprocess.run(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], cwd=ROOT, stdout=log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=PART_SECONDS, check=False, env=environment(),
        ).returncode  # fmt: skip
    if code != 0:
        return []
    part.passed, part.failed = part.passed + part.failed, 0
    return tests


def count(report: Path) -> tuple[int, int]:
    """Return the number of passed and failed tests of a JUnit report; skipped tests count as failed."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except (OSError, ET.ParseError):
        return 0, 1
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    names = ("failures", "errors", "skipped")
    bad = sum(int(suite.get(name, 0)) for suite in suites for name in names)
    return total - bad, bad


def left_out(part: Part) -> list[str]:
    """Return the lines that name tests whose programs are not installed; see tests/scale/conftest.py."""
    return [line for line in part.log.read_text(errors="replace").splitlines() if line.startswith("left out: ")]


def run_lane(schedule: Schedule, say: threading.Lock) -> None:
    while part := schedule.take():
        run_part(part)
        schedule.end(part)
        with say:
            print(f"{'ok  ' if not part.failed else 'FAIL'} {part.name:18}{part.passed:6} passed"
                  f"{part.failed:5} failed {part.seconds:7.1f} s", flush=True)  # fmt: skip
            for line in left_out(part):
                print(f"     | {line}", flush=True)
            if part.failed:
                lines = re.sub(r"\x1b\[[0-9;]*m", "", part.log.read_text(errors="replace")).splitlines()
                print("\n".join(f"     | {line}" for line in lines[-60:]), flush=True)


def main() -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    started, say = time.monotonic(), threading.Lock()
    every = parts()
    schedule = Schedule(every)
    threads = [threading.Thread(target=run_lane, args=(schedule, say)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in every:
        for test in run_alone(part) if part.failed else ():
            print(f"passed only when run alone, a defect of the test: {test}")
    print(f"\nAll parts took {time.monotonic() - started:.0f} s; their output is in {RESULTS.relative_to(ROOT)}/")
    passed, failed = sum(part.passed for part in every), sum(part.failed for part in every)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

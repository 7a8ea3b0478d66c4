"""`make test-changed`: what a change against main is most likely to break, in under a minute for a usual change.

It runs ruff, mypy and the import contracts on everything; the test files that were changed, that import a changed
module, or that are named after one, its feature, or the resource or job that imports it; and the specs that reach a
changed file of the web application (`vitest related`).
Imports are followed through helpers in `tests/`, not through the product: `create_app` reaches almost every module.
Tests that start the whole product are named and left to `make test`.
"""

import argparse
import ast
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.suite import environment

ROOT: Final = Path(__file__).resolve().parent.parent
PROGRAMS: Final = Path(sys.executable).parent
WHOLE_PRODUCT: Final = ("tests/browser/", "tests/faults/", "tests/harness/", "tests/launch/", "tests/scale/")
COMMON: Final = {"__init__", "models", "actions", "queries"}  # every feature has these
FRONTEND_SOURCE: Final = (".ts", ".vue", ".json", ".css")


def changed_files(base: str) -> list[str]:
    """Return files that differ from where this branch left `base`, uncommitted and untracked ones included."""
    differing = _git("diff", "--name-only", "--merge-base", base)
    return sorted({*differing, *_git("ls-files", "--others", "--exclude-standard")})


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - git on PATH
    return done.stdout.splitlines()


def imports(path: Path) -> Iterator[str]:
    """Return the modules that a file imports; `from a import b` is `a.b` where that is a module, else `a`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = ROOT / whole.replace(".", "/")
                yield whole if place.with_suffix(".py").is_file() or place.is_dir() else node.module


def module_of(path: str) -> str:
    """Return the dotted name of a Python file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def affected_tests(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the test files that were changed, import what was changed, or are named after it."""
    python = [path for path in changed if path.endswith(".py")]
    wanted = {module_of(path) for path in python}
    names = {name for path in python if path.startswith("backend/") for name in _names(path, root)} - COMMON
    found = {path.relative_to(root).as_posix(): set(imports(path)) for path in (root / "tests").rglob("*.py")}
    helpers = {name: used for name, used in found.items() if not Path(name).name.startswith("test_")}
    while more := {module_of(name) for name, used in helpers.items() if used & wanted} - wanted:
        wanted |= more
    return sorted(
        name
        for name, used in found.items()
        if Path(name).name.startswith("test_") and (name in python or used & wanted or _is_named_after(name, names))
    )


def _names(path: str, root: Path) -> Iterator[str]:
    """Return what the tests of a module may be named after: itself, its feature, the resource or job.

    The tests of ``task_requests`` are named ``test_requests...``.
    """
    yield Path(path).stem
    feature = re.match(r"backend/domain/(\w+)/", path)
    if feature:
        yield from (feature[1], feature[1].rpartition("_")[2])
        for folder in ("backend/api/resources", "backend/jobs"):
            for caller in (root / folder).glob("*.py"):
                if module_of(path) in set(imports(caller)):
                    yield from (caller.stem, caller.stem.rpartition("_")[2])


def _is_named_after(test: str, names: set[str]) -> bool:
    stem = Path(test).stem.removeprefix("test_")
    return any(stem == name or stem.startswith(f"{name}_") for name in names)


def commands(changed: list[str], *, whole_product: bool) -> Iterator[tuple[str, list[str], Path]]:
    """Return name, command and folder of each step."""
    yield "ruff", [sys.executable, "-m", "ruff", "check", "."], ROOT
    yield "format", [sys.executable, "-m", "ruff", "format", "--check", "."], ROOT
    yield "imports", [str(PROGRAMS / "lint-imports")], ROOT
    yield "mypy", [sys.executable, "-m", "mypy"], ROOT
    tests = affected_tests(changed)
    left_out = [] if whole_product else [test for test in tests if test.startswith(WHOLE_PRODUCT)]
    if left_out:
        print(f"Left to make test (ARGS=--all runs them, too): {' '.join(left_out)}", flush=True)
    if chosen := [test for test in tests if test not in left_out]:
        yield "pytest", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen], ROOT
    web = [path.removeprefix("frontend/") for path in changed if path.startswith("frontend/src/")]
    web = [path for path in web if path.endswith(FRONTEND_SOURCE) and (ROOT / "frontend" / path).is_file()]
    if web:
        related = ["exec", "--", "vitest", "related", "--run", "--passWithNoTests", *web]
        yield "vitest", [str(PROGRAMS / "npm"), *related], ROOT / "frontend"


def main() -> int:
    """Return 0 when every step passed."""
    parser = argparse.ArgumentParser(prog="make test-changed", description=__doc__)
    parser.add_argument("--base", default="main", help="compare with this branch or commit")
    parser.add_argument("--all", action="store_true", help="also run affected tests that start the whole product")
    given = parser.parse_args()
    changed = changed_files(given.base)
    print(f"{len(changed)} files differ from {given.base}", flush=True)
    failed = []
    for name, argv, folder in commands(changed, whole_product=given.all):
        started = time.monotonic()
        code = subprocess.run(argv, cwd=folder, env=environment(), check=False).returncode
        print(f"{'ok  ' if code == 0 else 'FAIL'} {name} {time.monotonic() - started:.1f} s", flush=True)
        failed += [name] if code else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The rules of docs/architecture.md that can be checked in the source."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from backend.settings import Settings, env_example
from tests.architecture.source import BACKEND, ROOT, calls, functions, modules, shown, tree
from tests.architecture.test_prose import complaints

FILE_LINES: Final = 500
FUNCTION_LINES: Final = 50
LINES_WITH_ANY: Final = 60
TEST_NAME_WORDS: Final = 3
TEST_NAME_LENGTH: Final = 80
NOT_A_UNIT: Final = {"a", "an", "the", "it", "of", "who", "what", "where", "when", "while", "nobody", "someone"}
BANNED_NAMES: Final = {"utils", "util", "helpers", "helper", "manager", "managers", "common_functions", "misc"}
STATE_TABLES: Final = ("backend/domain/task_requests/lifecycle.py", "backend/domain/professionals/approval.py")
PLAIN: Final = {
    "dataclasses",
    "enum",
    "typing",
    "collections",
    "collections.abc",
    "datetime",
    "__future__",
    "backend.core.security.authz",
    "backend.core.errors",
}


def test_import_contracts_are_kept() -> None:
    """Run the import contracts of .importlinter: layers, features and their exhaustive lists."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-6000:]


def test_commits_happen_only_in_entry_points() -> None:
    """A call or a job is one transaction, which ends where it started."""
    wrong = [
        f"{shown(path)}:{line} {name}"
        for path in modules()
        for name, line in calls(path)
        if re.fullmatch(r"db\.session\.(commit|begin)|(.*\.)?session\.commit", name)
        and shown(path) != "backend/core/db/session.py"
    ]
    assert not wrong, wrong


def test_domain_modules_start_no_transactions() -> None:
    wrong = [
        f"{shown(path)}:{line}"
        for path in modules(BACKEND / "domain")
        for name, line in calls(path)
        if name in ("transaction", "database.transaction")
    ]
    assert not wrong, wrong


def test_current_time_is_read_only_from_clock_module() -> None:
    """Tests freeze the clock, which has no effect on code that reads the system time directly."""
    system_time = re.compile(r"(datetime|date)\.(now|utcnow|today)|datetime\.datetime\.(now|utcnow|today)|time\.time")
    allowed = {"backend/core/clock.py"}
    wrong = [
        f"{shown(path)}:{line} {name}"
        for path in modules()
        if not shown(path).startswith("backend/launch/") and shown(path) not in allowed
        for name, line in calls(path)
        if system_time.fullmatch(name)
    ]
    assert not wrong, wrong


def test_clock_is_frozen_only_by_demo() -> None:
    wrong = [
        f"{shown(path)}:{line}"
        for path in modules()
        if not shown(path).startswith("backend/cli/demo/")
        for name, line in calls(path)
        if name.endswith("frozen_at")
    ]
    assert not wrong, wrong


def test_environment_is_read_only_by_settings() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        if not shown(path).startswith(("backend/launch/", "backend/settings"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
        and not _writes(path, node)
    ]  # fmt: skip
    assert not wrong, wrong


def production_checks(settings: ast.Module) -> list[ast.AST]:
    """Return the function of the settings module that uses some of them: the checks for production."""
    return [node for node in settings.body if isinstance(node, ast.FunctionDef) and node.name == "_check_production"]


def test_every_setting_is_used() -> None:
    """A setting that no code reads has no effect."""
    read = {
        node.value if isinstance(node, ast.Constant) else node.attr
        for path in modules()
        for part in ([tree(path)] if shown(path) != "backend/settings.py" else production_checks(tree(path)))
        for node in ast.walk(part)
        if isinstance(node, (ast.Attribute, ast.Constant))
    }
    assert not {field.name for field in fields(Settings)} - read


def _writes(path: Path, node: ast.Attribute) -> bool:
    """Return whether this is an assignment such as ``os.environ["X"] = ...``, which configures a library."""
    targets = [
        target.value
        for assigned in ast.walk(tree(path))
        if isinstance(assigned, ast.Assign)
        for target in assigned.targets
        if isinstance(target, ast.Subscript)
    ]
    return node in targets


def test_state_tables_import_no_framework() -> None:
    """Screens, documents and tests use them, so they import only plain Python."""
    for name in STATE_TABLES:
        path = ROOT / name
        assert path.is_file(), name
        found = {
            module
            for node in ast.walk(tree(path))
            for module in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [part.name for part in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert found <= PLAIN, (name, found - PLAIN)


@pytest.mark.parametrize("place", ["frontend/src/locales", "backend/templates", "openapi.json"])
def test_word_service_is_absent_from_user_texts(place: str) -> None:
    """The word of the product is task, on screens, in mails and in the API's documentation."""
    word = re.compile(r"\bservices?\b(?! worker)", re.IGNORECASE)
    root = ROOT / place
    wrong = [
        f"{shown(path)}:{number}"
        for path in ([root] if root.is_file() else sorted(root.rglob("*")))
        if path.suffix in (".json", ".html", ".txt", ".j2", ".css")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert not wrong, wrong


def test_files_and_functions_are_within_size_limits() -> None:
    long_files = [
        f"{shown(path)}: {lines} lines"
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES and "versions" not in path.parts
    ]
    long_functions = [
        f"{shown(path)}:{line} {name}: {length} lines"
        for path in modules()
        if "versions" not in path.parts
        for name, line, length in functions(path)
        if length > FUNCTION_LINES
    ]
    assert not long_files + long_functions, long_files + long_functions


def test_modules_have_docstrings() -> None:
    wrong = [shown(path) for path in modules() if not ast.get_docstring(tree(path))]
    assert not wrong, wrong


def test_module_names_are_specific() -> None:
    wrong = [shown(path) for path in [*modules(), *modules(ROOT / "tests")] if path.stem in BANNED_NAMES]
    assert not wrong, wrong


def test_source_has_no_open_task_marks() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
    folders = [*modules(), *modules(ROOT / "tests"), *sorted((ROOT / "frontend" / "src").rglob("*.vue"))]
    wrong = [
        f"{shown(path)}:{number}"
        for path in folders
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not wrong, wrong


def test_suppressed_lint_rules_have_a_reason() -> None:
    bare = re.compile(r"# (noqa(: [A-Z0-9, ]+)?|type: ignore(\[[a-z, -]+\])?)\s*$")
    wrong = [
        f"{shown(path)}:{number}"
        for path in [*modules(), *modules(ROOT / "tests")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert not wrong, wrong


def test_backend_has_fewer_than_60_lines_with_any() -> None:
    """Where a value is ``Any``, mypy checks nothing: a wrong field name or a None is found only at run time."""
    lines = [
        f"{shown(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\bAny\b", line)
    ]
    assert len(lines) < LINES_WITH_ANY, "Use a type, or object where the value is only passed on: " + ", ".join(lines)


def objections(name: str) -> list[str]:
    """Return what is wrong with a test's name; names are `test_<unit>_<condition>_<outcome>`."""
    words = name.removeprefix("test_").split("_")
    found = [complaint for _, complaint in complaints(" ".join(words))]
    if len(words) < TEST_NAME_WORDS:
        found.append(f"use {TEST_NAME_WORDS} words or more")
    if len(name) > TEST_NAME_LENGTH:
        found.append(f"use up to {TEST_NAME_LENGTH} characters")
    if words[0] in NOT_A_UNIT:
        found.append(f"start with the unit under test instead of '{words[0]}'")
    return found


def test_test_names_say_unit_condition_and_outcome() -> None:
    wrong = [
        f"{shown(path)}:{line} {name}: {objection}"
        for path in modules(ROOT / "tests")
        for name, line, _ in functions(path)
        if name.startswith("test_")
        for objection in objections(name)
    ]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("name", "objection"),
    [
        ("test_the_list_is_paginated", "start with the unit under test instead of 'the'"),
        ("test_exports_list", "use 3 words or more"),
        ("test_exports_" + "list_" * 20 + "is_paginated", "use up to 80 characters"),
        ("test_jobs_list_returns_parked_jobs", "say 'dead-letter, or failed permanently' instead of 'parked'"),
    ],
)
def test_test_name_that_breaks_a_rule_is_reported(name: str, objection: str) -> None:
    assert objections(name) == [objection]


def test_test_name_with_unit_condition_and_outcome_is_accepted() -> None:
    assert objections("test_exports_list_without_filters_returns_newest_first") == []


def test_env_example_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), "run: python -m backend.settings > .env.example"


def test_tests_are_not_skipped_or_expected_to_fail() -> None:
    marks = re.compile(r"mark\.(skip|skipif|xfail)|pytest\.(skip|xfail)\(|importorskip")
    wrong = [
        shown(path)
        for path in modules(ROOT / "tests")
        if path != Path(__file__) and marks.search(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, wrong

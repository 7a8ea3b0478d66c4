"""Files, tests and make targets that the documentation names exist."""

import re

from tests.architecture.source import ROOT


def test_security_page_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_page_of_faults_names_tests_that_exist() -> None:
    lines = (ROOT / "docs" / "explanation" / "faults.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if re.match(r"\| \d+ \|", line)]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 15
    missing = []
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[4])
        assert named, f"fault {row[0]} names no test"
        for path, name in named:
            file = ROOT / path
            if not (file.is_file() and re.search(rf"^\s*def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE)):
                missing.append(f"{path}::{name}")
    assert missing == []


def test_page_of_promises_names_browser_tests_that_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(\w+)`", text)
    assert len(named) > 10
    files = ROOT / "tests" / "browser"
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^def {name}\(", (files / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_documents_link_to_files_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "frontend" / "README.md"]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_documented_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    known = {name for line in targets for name in line.split()}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = {
        f"{page.relative_to(ROOT)}: make {name}"
        for page in pages
        for name in re.findall(r"`make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"))
        if name not in known
    }
    assert missing == set()

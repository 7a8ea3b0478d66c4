"""What `make test` does with tests that fail beside others."""

from pathlib import Path

import pytest

from tests import suite

FAILED = "FAILED tests/unit/test_suite.py::test_failed_tests_are_read_from_summary - AssertionError: assert 1 - 1\n"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> suite.Part:
    monkeypatch.setattr(suite, "RESULTS", tmp_path)
    part = suite.pytest("unit", "tests/unit")
    part.log.write_text(f"...F [ 96%]\n{FAILED}1 failed, 3 passed in 1.0s\n")
    part.passed, part.failed = 3, 1
    return part


def test_failed_tests_are_read_from_summary(part: suite.Part) -> None:
    assert suite.failed_tests(part) == ["tests/unit/test_suite.py::test_failed_tests_are_read_from_summary"]


def test_run_alone_counts_a_test_that_passes_alone(part: suite.Part) -> None:
    assert suite.run_alone(part) == suite.failed_tests(part)[:1]
    assert (part.passed, part.failed) == (4, 0)


def test_run_alone_leaves_a_test_that_fails_again(part: suite.Part) -> None:
    part.log.write_text(FAILED.replace("from_summary", "from_nowhere"))
    assert suite.run_alone(part) == []
    assert (part.passed, part.failed) == (3, 1)


def test_run_alone_leaves_more_failures_than_it_can_name(part: suite.Part) -> None:
    part.failed = 2
    assert suite.run_alone(part) == []
    assert part.failed == 2

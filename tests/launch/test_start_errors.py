"""A start that fails reports the reason and what to do in one line."""

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


def failed_start(product: Product) -> tuple[int, str]:
    code = product.launch().wait(timeout=HANG_SECONDS)
    return code, product.output


def test_start_with_malformed_setting_fails_in_one_line_that_names_it(tmp_path: Path) -> None:
    code, output = failed_start(Product(tmp_path, settings={"MARKET_TIMEZONE": "Mars/Olympus"}))
    assert code == 2
    assert output.count("\n") == 1
    assert "MARKET_TIMEZONE" in output
    assert not (tmp_path / "data").exists(), "nothing is created before the settings are valid"


@pytest.mark.parametrize("module", ["backend.wsgi", "backend.worker"])
def test_process_with_missing_setting_fails_in_one_line_that_names_it(module: str) -> None:
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


def test_start_on_used_port_fails_and_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        code, output = failed_start(Product(tmp_path, port=port))
    assert code == 1
    assert output.count("\n") == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in output
    assert "PORT=" in output


def test_start_with_unusable_data_folder_fails_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    code, output = failed_start(Product(tmp_path))
    assert code == 1
    assert str(tmp_path / "data") in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "Permission denied"), (errno.EROFS, "Permission denied")],
)
def test_explain_system_error_returns_plain_message_with_path(number: int, words: str) -> None:
    assert words in str(explain(OSError(number, "errno text", "/some/where")))
    assert "/some/where" in str(explain(OSError(number, "errno text", "/some/where")))


@pytest.mark.parametrize("module", ["backend.wsgi", "backend.launch.prepare"])
def test_process_with_too_few_database_connections_fails_in_one_line(module: str, settings: Settings) -> None:
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    given |= {"WEB_WORKERS": "100", "WORKER_CONCURRENCY": "3"}
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
    message = done.stderr.strip().splitlines()[-1]
    assert (
        "PostgreSQL allows 117 connections, but this deployment can open up to 2934 connections: WEB_WORKERS (100)"
        in message
    )


def test_launch_starts_embedded_database_with_enough_connections(tmp_path: Path) -> None:
    settings = replace(Settings(), web_workers=8, data_dir=tmp_path)
    launch = Launch(settings=settings, supervisor=Supervisor(say=print))
    assert int(launch.connections) >= connection_budget.budget(settings).total + 3

"""Holds every process to the modules that it needs: what one imports for nothing is paid by each of them in memory."""

import subprocess
import sys

import pytest

CASES = {
    "backend.app": ("alembic", "mako", "PIL", "sqlite3", "backend.cli.demo", "backend.jobs.tasks"),
    "backend.events.__main__": ("sqlalchemy", "flask", "babel", "marshmallow", "argon2"),
    "backend.application": ("backend.api", "backend.cli", "apispec", "flask_jwt_extended", "limits", "marshmallow"),
    "backend.worker": ("sqlalchemy", "psycopg", "flask", "structlog"),
}


@pytest.mark.parametrize("module", CASES)
def test_process_on_import_loads_only_what_it_needs(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(CASES[module]) & set(done.stdout.split())

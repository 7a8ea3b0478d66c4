"""The command `flask doctor` against a running product, a stopped one, and one with a defect."""

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from werkzeug.serving import make_server

from backend.cli import doctor, doctor_traces
from backend.cli.doctor_calls import StepFailed
from backend.core.clock import now
from backend.core.db.session import Base, db
from backend.domain.accounts.models import Account
from backend.domain.audit import chain
from backend.domain.professionals import approval
from backend.domain.professionals.approval import Approval, Transition
from backend.domain.tasks.models import Task
from backend.jobs import health
from backend.settings import Settings
from tests.factories.servers import free_port
from tests.factories.users import Users

# Seals of removed entries are kept on purpose.
UNCOUNTED = {"places", "localities", "heartbeats", "cache_versions", "audit_seals", "dashboard_changes"}


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Serve the application on a real socket."""
    health.beat()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def rows() -> dict[str, int]:
    """Return the number of rows of each table."""
    db.session.rollback()
    tables = [table for table in Base.metadata.sorted_tables if table.name not in UNCOUNTED]
    return {table.name: db.session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def examine(address: str) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return doctor.run(doctor.Checkup(address, lines.append)), lines


def test_doctor_on_running_product_passes_and_leaves_no_data(address: str, users: Users) -> None:
    users.admin().post("/tasks", task_fields())
    users.professional()
    before = rows()
    passed, lines = examine(address)
    assert passed, lines
    assert lines[-1] == "All checks passed."
    assert rows() == before
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(text("DELETE FROM audit_entries"))
    db.session.rollback()


def test_doctor_without_tasks_passes(address: str) -> None:
    before = rows()
    passed, lines = examine(address)
    assert passed, lines
    assert rows() == before
    assert chain.verify().findings == []


def test_doctor_on_stopped_product_fails(app: Flask) -> None:
    before = rows()
    passed, lines = examine("http://127.0.0.1:9")
    assert not passed
    assert lines[1].startswith("FAILED  the application is ready")
    assert rows() == before


def test_doctor_with_failing_step_names_it_and_leaves_no_data(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    approve = approval.APPROVE
    broken = Transition(approve.action, approve.who, approve.sources, Approval.REJECTED)
    monkeypatch.setattr(approval, "APPROVE", broken)
    before = rows()
    passed, lines = examine(address)
    assert not passed
    assert any(line.startswith("FAILED  an admin approves the document") for line in lines)
    assert lines[-1] == "Check failed: an admin approves the document."
    assert rows() == before


def test_doctor_with_several_database_hosts_says_what_each_is(app: Flask, environ: dict[str, str]) -> None:
    port, nowhere = urlsplit(environ["DATABASE_URL"]).port, free_port()
    one = f"127.0.0.1:{port}"

    def check(hosts: str) -> list[str]:
        lines: list[str] = []
        settings = Settings.from_env({**environ, "DATABASE_URL": environ["DATABASE_URL"].replace(one, hosts)})
        doctor.check_hosts(doctor.Checkup("", lines.append), settings.database_url)
        return lines

    assert check(one) == []
    assert check(f"{one},127.0.0.1:{nowhere}") == [
        f"        {one} is the primary; 127.0.0.1:{nowhere} does not answer",
        f"WARNING 127.0.0.1:{nowhere} does not answer.",
        "ok      one host of the database accepts writes",
    ]
    with pytest.raises(StepFailed, match="accept writes, so data is divided"):
        check(f"{one},localhost:{port}")


def test_doctor_removes_data_of_earlier_killed_check(address: str, users: Users) -> None:
    before = rows()
    checkup = doctor.Checkup(address, lambda _: None)
    doctor._examine(checkup)
    assert checkup.account_ids()
    for model in (Account, Task):
        db.session.execute(update(model).values(created_at=now() - 2 * doctor_traces.OLD))
    db.session.commit()
    asha = users.customer(username="checkup-00000000-real")
    assert examine(address)[0]
    assert checkup.account_ids() == []
    assert asha.get("/me").status_code == 200
    left = {name: count for name, count in rows().items() if count != before[name]}
    assert left == {"accounts": 1, "sessions": 1}


def test_doctor_command_returns_result_as_exit_code(app: Flask, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    for url, code in ((address, 0), ("http://127.0.0.1:9", 1)):
        monkeypatch.setitem(app.extensions, "settings", dataclasses.replace(app.extensions["settings"], public_url=url))
        result = app.test_cli_runner().invoke(args=["doctor"])
        assert result.exit_code == code, result.output


def task_fields() -> dict[str, object]:
    return {
        "name": "Plumbing",
        "description": "Leaks and taps",
        "category": "Repairs",
        "base_price": "499.00",
        "time_required": 60,
    }

"""What is said about the processes of all machines."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.core.clock import now
from backend.core.observability import fleet, process_reports
from backend.core.observability.fleet import Process, Topic
from backend.core.storage import Store
from backend.settings import Settings

SECRET = "a-secret-key-of-enough-bytes-0123456789"
GIVEN = {
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://u:hidden-password@127.0.0.1/d",
    "MACHINE_NAME": "one",
    "PUBLIC_URL": "http://market.test",
}


def process(machine: str, *, kind: str = "web", seconds: float = 0.0, **changes: str) -> Process:
    """Return the row of a process that reported so many seconds ago, with these settings changed."""
    settings = Settings.from_env({**GIVEN, **changes})
    at = now()
    return Process(
        id=f"{machine}-{kind}-{sorted(changes.items())}-{seconds}", kind=kind, machine=machine, pid=7, parent_pid=1,
        version="0.2.0", key_digest=process_reports.key_digest(settings), started_at=at - timedelta(hours=1),
        settings=process_reports.setting_digests(settings, {}), seen_at=at - timedelta(seconds=seconds),
    )  # fmt: skip


def found(*processes: Process) -> list[tuple[Topic, tuple[str, ...], tuple[str, ...]]]:
    return [(each.topic, each.names, each.processes) for each in fleet.findings(processes, now())]


def test_findings_of_equal_machines_are_none() -> None:
    two = process("two", PORT="5001", HOST="10.0.0.2", DB_POOL_SIZE="3", WORKER_CONCURRENCY="9")
    assert found(process("one"), two, process("two", kind="worker")) == []


def test_findings_name_silent_process_and_compare_it_no_more() -> None:
    stuck = process("two", kind="worker", seconds=61, MARKET_CURRENCY="EUR")
    assert found(process("one"), process("one", kind="beat", seconds=50), stuck) == [
        (Topic.SILENT, (), ("worker 7 on two",))
    ]


def test_findings_name_other_secret_key_without_its_settings() -> None:
    other = process("three", SECRET_KEY="another-secret-key-of-enough-bytes-012345")
    assert found(process("one"), process("two"), other) == [(Topic.KEY, ("SECRET_KEY",), ("web 7 on three",))]


def test_findings_name_settings_that_differ() -> None:
    other = process("two", MARKET_TIMEZONE="Europe/Berlin", MAIL_PASSWORD="other")
    assert found(process("one"), process("one", kind="worker"), other) == [
        (Topic.SETTINGS, ("MAIL_PASSWORD", "MARKET_TIMEZONE"), ("web 7 on two",))
    ]


def test_findings_name_versions_and_the_minority() -> None:
    new = process("two")
    new.version = "0.3.0"
    assert found(process("one"), process("one", kind="beat"), new) == [
        (Topic.VERSIONS, ("0.2.0", "0.3.0"), ("web 7 on two",))
    ]


def test_findings_name_stores_of_the_same_name_with_other_files(tmp_path: Path) -> None:
    def with_store(machine: str, folder: str, kind: str = "web") -> Process:
        row = process(machine, kind=kind)
        identity = Store(f"file://{tmp_path / folder}").identity()
        made = process_reports.setting_digests(Settings.from_env(GIVEN), {"DOCUMENT_STORE_URL": identity})
        row.settings = made
        return row

    same = [with_store("one", "disk"), with_store("one", "disk", "worker")]
    assert found(*same) == []
    assert found(*same, with_store("two", "other")) == [(Topic.STORES, ("DOCUMENT_STORE_URL",), ("web 7 on two",))]


def test_report_holds_no_secret_and_no_setting() -> None:
    settings = Settings.from_env({**GIVEN, "MAIL_PASSWORD": "short"})
    shown = str(process_reports.setting_digests(settings, {})) + process_reports.key_digest(settings)
    assert not any(word in shown for word in (SECRET, "hidden-password", "short", "Asia/Kolkata"))


def test_settings_of_one_machine_exist() -> None:
    assert {field.name for field in fields(Settings)} >= process_reports.OF_ONE_MACHINE


@pytest.mark.parametrize("finding", list(Topic))
def test_sentence_of_each_topic_names_the_processes(finding: Any) -> None:
    assert "web 7 on two" in fleet.Finding(finding, ("NAME",), ("web 7 on two",)).sentence

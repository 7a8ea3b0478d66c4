"""What is known of the processes of all machines while they start, freeze, disagree and stop."""

import re
import signal

from sqlalchemy import text

from backend.core.db.session import db
from backend.core.observability import fleet
from backend.launch import process_health
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.scale.lab import Lab, get
from tests.waiting import wait_until

AGE = text("UPDATE processes SET seen_at = seen_at - interval '2 minutes' WHERE pid = :pid")


def known() -> list[tuple[str, str]]:
    db.session.rollback()
    found = sorted((process.machine, process.kind) for process in fleet.processes())
    db.session.rollback()
    return found


def findings() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    db.session.rollback()
    _, found = fleet.report()
    db.session.rollback()
    return {finding.topic.value: (finding.names, finding.processes) for finding in found}


def test_processes_that_disagree_are_named_and_ended_ones_are_forgotten(lab: Lab, market: RequestMarket) -> None:
    one = lab.machine("one", EVENTS_PORT="0")
    two = lab.machine("two", MARKET_CURRENCY="EUR", DOCUMENT_STORE_URL=f"file://{lab.folder}/own")
    three = lab.machine("three", SECRET_KEY="another-key-of-enough-bytes-0123456789")
    for kind in ("web", "worker", "beat"):
        one.start(kind)
    two.start("web")
    three.start("worker")
    everyone = [("one", "beat"), ("one", "web"), ("one", "worker"), ("three", "worker"), ("two", "web")]
    assert wait_until(lambda: known() == everyone), known()

    said = findings()
    by_machine = {process.machine: process.label for process in fleet.processes()}
    assert said["key"] == (("SECRET_KEY",), (by_machine["three"],))
    assert said["settings"] == (("MARKET_CURRENCY",), (by_machine["two"],))
    assert said["stores"] == (("DOCUMENT_STORE_URL",), (by_machine["two"],))
    assert "silent" not in said
    admin = market.users.admin()
    shown = admin.get("/processes").json
    assert {item["topic"] for item in shown["findings"]} == {"key", "settings", "stores"}
    assert len(shown["items"]) == len(everyone)
    metrics = get(f"{one.url}/metrics")[1].decode()
    assert re.search(r'^processes\{kind="web"\} 2', metrics, re.MULTILINE)
    assert re.search(r'^processes_found\{topic="key"\} 1', metrics, re.MULTILINE)

    # A frozen process reports no more. Its last report is made older here, so that the test waits for no minute.
    frozen = one.running["beat"]
    frozen.send_signal(signal.SIGSTOP)
    with db.engine.begin() as connection:
        connection.execute(AGE, {"pid": frozen.pid})
    assert findings()["silent"] == ((), (f"beat {frozen.pid} on one",))
    own = Settings.from_env(one.environ)
    assert [process_health.reports(own, kind) for kind in ("beat", "worker", "events")] == [False, True, False]
    frozen.send_signal(signal.SIGCONT)
    assert wait_until(lambda: "silent" not in findings())

    for machine in (one, two, three):
        for kind in list(machine.running):
            machine.stop(kind)
    assert known() == []


def test_process_that_was_killed_is_forgotten_by_its_machine(lab: Lab) -> None:
    one = lab.machine("one")
    killed = one.start("beat")
    assert wait_until(lambda: known() == [("one", "beat")])
    one.stop("beat", signal.SIGKILL)
    with db.engine.begin() as connection:
        connection.execute(AGE, {"pid": killed.pid})
    one.start("beat")
    assert wait_until(lambda: known() == [("one", "beat")] and "silent" not in findings())

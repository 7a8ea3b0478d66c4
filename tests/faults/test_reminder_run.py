"""A run of daily reminders from the admin's call to the mails, through real processes, started twice."""

from typing import Any

import pytest
from flask import Flask

from tests.factories.requests import RequestMarket
from tests.factories.servers import SmtpServer
from tests.factories.users import User, Users
from tests.faults.processes import JobProcesses
from tests.waiting import wait_until

pytestmark = pytest.mark.faults


def followed(admin: User, location: str) -> dict[str, Any]:
    """Wait for the run to end and return it."""
    assert wait_until(lambda: admin.get(location).json["status"] in ("done", "failed"), pause=0.1)
    return dict(admin.get(location).json)


def test_daily_reminders_run_twice_by_admin_sends_each_mail_once(
    dispatching: Flask, jobs: JobProcesses, users: Users, smtp: SmtpServer
) -> None:
    for kind in ("worker", "beat"):
        jobs.start(kind)
    market, admin = RequestMarket(users), users.admin()
    professionals = [market.professional() for _ in range(5)]
    market.ask(users.customer())
    first = followed(admin, admin.post("/jobs/daily-reminders/run").headers["Location"])
    assert (first["status"], first["sent"], first["failed"], first["skipped"]) == ("done", 5, 0, 0)
    second = followed(admin, admin.post("/jobs/daily-reminders/run").headers["Location"])
    assert (second["status"], second["sent"], second["failed"], second["skipped"]) == ("done", 0, 0, 5)
    reminders = [address for address, mail in smtp.mails if "waiting for your response" in mail["Subject"]]
    assert sorted(reminders) == sorted(f"{one.username}@example.org" for one in professionals)

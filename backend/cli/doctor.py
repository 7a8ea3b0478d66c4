"""`flask doctor`: checks over HTTP that adding a professional works in the running product, then removes its data."""

import base64
import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO

import click
import psycopg
from flask.cli import with_appcontext
from PIL import Image
from sqlalchemy import select

from backend.cli import doctor_hosts
from backend.cli import doctor_traces as traces
from backend.cli.doctor_calls import Caller, StepFailed
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import connection_budget
from backend.core.db.session import db, session_defaults, transaction
from backend.core.observability import fleet, tracing
from backend.core.security.authz import Role
from backend.domain.accounts.actions import NewAccount, sign_up
from backend.domain.accounts.models import Account
from backend.domain.notifications import preferences
from backend.domain.places.models import Place
from backend.domain.tasks.models import Task
from backend.settings import Settings

WORKING_DAYS_AHEAD = timedelta(days=7)
Report = Callable[[str], None]


@dataclass(slots=True)
class Checkup:
    """One run: its accounts, and what it has created so far."""

    base_url: str
    report: Report
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    failed_at: str | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a step and print its result; the first failure ends the run."""
        try:
            yield
        except StepFailed as error:
            self.failed_at = name
            self.report(f"FAILED  {name}\n        {error}")
            raise
        self.report(f"ok      {name}")

    def fields(self, kind: str) -> dict[str, str]:
        """Return the fields of a sign-up, recognisable as a check's."""
        username = f"checkup-{self.mark}-{kind}"
        pincode = db.session.execute(select(Place.pincode).where(Place.latitude.is_not(None)).limit(1)).scalar_one()
        db.session.rollback()
        return {
            "username": username,
            "email": f"{username}@{traces.HOST}",
            "password": self.password,
            "firstname": "Check",
            "lastname": "Up",
            "address": "-",
            "pincode": pincode,
        }

    def caller(self, kind: str | None = None) -> Caller:
        """Return a client for a visitor, or for a signed-in account of that kind."""
        caller = Caller(self.base_url)
        if kind is not None:
            name = {"username": f"checkup-{self.mark}-{kind}", "password": self.password, "client": "api"}
            caller.token = caller.call("POST", "/check", name, expect=200).text("access_token")
        return caller

    def account_ids(self) -> list[int]:
        """Return the ids of accounts that this run created, even if their responses were lost."""
        mine = select(Account.id).where(Account.username.like(f"checkup-{self.mark}-%"))
        return list(db.session.execute(mine).scalars())

    def task_ids(self) -> list[int]:
        """Return the id of the task that this run created, if any."""
        return list(db.session.execute(select(Task.id).where(Task.name == f"Check-up {self.mark}")).scalars())

    def hush(self) -> None:
        """Turn off all channels of these accounts."""
        with transaction():
            for account_id in self.account_ids():
                preferences.put(account_id, preferences.Choice(channels=()))


@click.command("doctor")
@with_appcontext
def command() -> None:
    """Check that a professional can sign up, be approved and accept a request in the running application."""
    if not traces.may_erase():
        raise click.ClickException(
            "The self-check needs the owner of the database's tables to remove its test data. Run make "
            "doctor, and set OWNER_DATABASE_URL if you use your own database server."
        )
    checkup = Checkup(current_settings().public_url, click.echo)
    click.echo(f"Checking {checkup.base_url}")
    sys.exit(0 if run(checkup) else 1)


def run(checkup: Checkup) -> bool:
    """Return whether every step succeeded; created data is removed in any case."""
    try:
        with checkup.step("data of earlier checks is removed"):
            traces.erase(*traces.leftovers())
        _examine(checkup)
    except StepFailed:
        pass
    finally:
        clean = _clean_up(checkup)
    passed = checkup.failed_at is None and clean
    checkup.report("All checks passed." if passed else f"Check failed: {checkup.failed_at or 'data is left'}.")
    return passed


def _examine(checkup: Checkup) -> None:
    with checkup.step("the application is ready"):
        checkup.caller().call("GET", "/readyz", expect=200).expect(status="ready")
    if reason := tracing.problem():
        checkup.report(f"WARNING {reason}")
    with checkup.step("the database allows enough connections"):
        room = connection_budget.check_at(current_settings())
        if not room.fits:
            raise StepFailed(room.problem)
        if room.problem:
            checkup.report(f"WARNING {room.problem}")
    if current_settings().database_pooled:
        _check_pooler(checkup)
    check_hosts(checkup, current_settings().database_url)
    check_replica(checkup, current_settings())
    _compare_processes(checkup)
    with checkup.step("an admin signs in"):
        with transaction():
            sign_up(NewAccount(**checkup.fields("adm")), role=Role.ADMIN)
        checkup.hush()
        admin = checkup.caller("adm")
    professional_id = _add_professional(checkup)
    with checkup.step("the professional signs in"):
        professional = checkup.caller("pro")
        _expect_role(professional.token or "", "professional")
        professional.call("GET", "/me", expect=200).expect(id=professional_id, isactive=0)
    with checkup.step("requests are refused before approval"):
        professional.call("GET", "/requests", expect=403, code="not_active")
        decision = f"/professionals/{professional_id}"
        admin.call("POST", f"{decision}/approve", expect=409, code="document_missing")
    with checkup.step("the document is uploaded"):
        uploaded = professional.send_file(
            "PUT", "/me/document", field="document", name="proof.png", data=_picture(), expect=200
        )
        uploaded.expect(approval="pending", isactive=0)
    with checkup.step("an admin approves the document"):
        admin.call("POST", f"{decision}/approve", expect=200).expect(approval="approved", isactive=1)
    with checkup.step("the professional is active"):
        professional.call("GET", "/me", expect=200).expect(approval="approved", isactive=1)
        professional.call("GET", "/requests", expect=200)
    _accept(checkup, admin=admin, professional=professional, professional_id=professional_id)


def _check_pooler(checkup: Checkup) -> None:
    settings = Settings.from_env()  # the application's address; this command connects as the owner, past the pooler
    with checkup.step("sessions behind the pooler have the application's limits"):
        wanted = session_defaults(settings)
        with psycopg.connect(settings.database_url, connect_timeout=5, prepare_threshold=None) as connection:
            connection.execute("SELECT word_similarity('a', 'b')")  # loads pg_trgm
            query = "SELECT lower(name), setting FROM pg_settings WHERE lower(name) = ANY(%s)"
            found: dict[str, str] = dict(connection.execute(query, (list(wanted),)).fetchall())
        if wrong := sorted(name for name, value in wanted.items() if found.get(name, "").lower() != value.lower()):
            raise StepFailed(
                f"These settings differ: {', '.join(wrong)}. Run prepare, then reconnect the pooler (RECONNECT)."
            )


def check_hosts(checkup: Checkup, url: str) -> None:
    """Say what each of several database hosts is. Raises StepFailed unless exactly one accepts writes."""
    if len(doctor_hosts.addresses(url)) < 2:
        return
    with checkup.step("one host of the database accepts writes"):
        verdict = doctor_hosts.judge(list(doctor_hosts.ask(url)))
        if verdict.error:
            raise StepFailed(f"{verdict.error} ({verdict.summary})")
        checkup.report(f"        {verdict.summary}")
        if verdict.warning:
            checkup.report(f"WARNING {verdict.warning}")


def check_replica(checkup: Checkup, settings: Settings) -> None:
    """Say what the replica is, and how far it is behind. Without it everything works, so nothing here fails."""
    if not settings.database_replica_url:
        return
    with checkup.step("the replica is asked"):
        hosts = list(doctor_hosts.ask(settings.database_url))
        verdict = doctor_hosts.judge_replicas(hosts, list(doctor_hosts.ask(settings.database_replica_url)))
        checkup.report(f"        {verdict.summary}")
        if verdict.warning:
            checkup.report(f"WARNING {verdict.warning}")


def _compare_processes(checkup: Checkup) -> None:
    with checkup.step("the processes of all machines agree"):
        _, findings = fleet.report()
        db.session.rollback()
        for finding in findings:
            if not finding.is_error:
                checkup.report(f"WARNING {finding.sentence}")
        if errors := [finding.sentence for finding in findings if finding.is_error]:
            raise StepFailed(" ".join(errors))


def _add_professional(checkup: Checkup) -> int:
    with checkup.step("a professional signs up"):
        trade = {"exp": 1, "compname": "Check-up"}
        added = checkup.caller().call("POST", "/add_professional", {**checkup.fields("pro"), **trade}, expect=201)
        checkup.hush()
    with checkup.step("the professional is inactive"):
        added.expect(role="professional", isactive=0, approval="document_missing")
    return added.integer("id")


def _accept(checkup: Checkup, *, admin: Caller, professional: Caller, professional_id: int) -> None:
    with checkup.step("a task is available"):
        offered = checkup.caller().call("GET", "/tasks?limit=1", expect=200).items()
        task = offered[0] if offered else admin.call("POST", "/tasks", _task(checkup), expect=201)
        task_id = task.integer("id")
        professional.call("PATCH", "/me", {"task_ids": [task_id]}, expect=200)
    with checkup.step("a customer sends a request to the professional"):
        checkup.caller().call("POST", "/add_customer", checkup.fields("cus"), expect=201)
        checkup.hush()
        asked = {
            "task_id": task_id,
            "date_of_request": (now() + WORKING_DAYS_AHEAD).isoformat(),
            "professional_id": professional_id,
        }
        request = checkup.caller("cus").call("POST", "/requests", asked, expect=201)
    with checkup.step("the professional accepts the request"):
        accepted = professional.call("POST", f"/requests/{request.integer('id')}/accept", expect=200)
        accepted.expect(status="accepted", professional_id=professional_id)


def _clean_up(checkup: Checkup) -> bool:
    db.session.rollback()
    try:
        with checkup.step("no data is left"):
            traces.erase(checkup.account_ids(), checkup.task_ids())
            if checkup.account_ids() or checkup.task_ids():
                raise StepFailed("accounts of this check still exist")
    except StepFailed:
        return False
    except Exception as error:  # noqa: BLE001  # any failure is reported to the operator
        checkup.report(f"FAILED  no data is left\n        {error}\n        The next check removes it.")
        return False
    return True


def _task(checkup: Checkup) -> dict[str, str | int]:
    return {
        "name": f"Check-up {checkup.mark}",
        "description": "Created by a self-check, which removes it.",
        "category": "Check-up",
        "base_price": "1.00",
        "time_required": 30,
    }


def _picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (16, 16), "white").save(target, "PNG")
    return target.getvalue()


def _expect_role(token: str, role: str) -> None:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims.get("role") != role:
        raise StepFailed(f"the token has the role {claims.get('role')!r} instead of {role!r}")

"""A backup made beside writes is whole; a restoration brings it back, revives nothing that is over, and never half."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from backend.app import create_app
from backend.cli import quarantine
from backend.core.db.session import db, transaction
from backend.core.queue import enqueue, runs
from backend.core.security.authz import SYSTEM
from backend.domain.accounts import links
from backend.domain.accounts.models import Account
from backend.domain.moderation import actions as moderation
from backend.domain.notifications.create import notify
from backend.domain.notifications.models import Delivery
from backend.domain.professionals.models import Professional
from backend.launch import backup, database_programs, database_roles, private_files
from backend.launch.backup_contents import FILES
from backend.launch.embedded import EmbeddedPostgres
from backend.launch.errors import LaunchError
from backend.launch.manifest import Manifest
from backend.settings import Settings
from tests.conftest import FAST
from tests.factories.files import form, picture
from tests.factories.people import People, Person
from tests.waiting import wait_until

NUMBERS = count(1)
HELD = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'pg_dump' AND wait_event_type = 'Lock'
"""
PLACE = "INSERT INTO places (pincode, locality, district, state) VALUES ('560001', 'MG Road', 'Bengaluru', 'Karnataka')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server with both roles and a prepared database, from which each test's is copied."""
    made = EmbeddedPostgres(tmp_path_factory.mktemp("server"), parameters=FAST)
    made.start()
    owner, app = made.roles()
    with database(owner, "doorstep") as prepared:
        upgrade()
        db.session.execute(text(PLACE))
        db.session.commit()
        close(prepared)
    database_roles.admit(owner, app)
    yield made
    made.destroy()


@contextlib.contextmanager
def database(url: str, name: str, **changes: Any) -> Iterator[Flask]:
    settings = Settings.from_env({"DATABASE_URL": f"{url.rsplit('/', 1)[0]}/{name}", "SECRET_KEY": "k" * 40})
    app = create_app(replace(settings, argon2_memory_kib=8, argon2_time_cost=1, **changes))
    with app.app_context():
        yield app


def close(app: Flask) -> None:
    """Let go of the database, as a product that has ended."""
    db.session.remove()
    db.engine.dispose()
    app.extensions["reads"]._pool.clear()


@dataclass
class Market:
    """One market in a database of its own, used as its application uses it."""

    server: EmbeddedPostgres
    data_dir: Path
    name: str = field(default_factory=lambda: f"market{next(NUMBERS)}")

    def __post_init__(self) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE doorstep OWNER doorstep_owner")
        owner, app = (url.rsplit("/", 1)[0] + f"/{self.name}" for url in self.server.roles())
        self.owner, self.app_url = owner, app
        self.settings = replace(
            Settings.with_owner({"DATABASE_URL": app, "OWNER_DATABASE_URL": owner, "DATA_DIR": str(self.data_dir)}),
            secret_key="k" * 40,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[People]:
        """The application on this market; nobody is connected afterwards."""
        stores = {"data_dir": self.data_dir, "document_store_url": self.settings.document_store_url}
        with database(self.app_url, self.name, **stores) as app:
            try:
                yield People(app, first=next(NUMBERS) * 100)
            finally:
                close(app)
        with psycopg.connect(self.server.url, autocommit=True) as connection:  # what keeps a connection of its own
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (self.name,)
            )

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            done = connection.execute(query, values)
            return list(done.fetchall()) if done.description else []

    def save(self, target: Path) -> Path:
        backup.make(self.settings, target)
        return target

    def restore(self, source: Path, **options: bool) -> None:
        backup.restore(self.settings, source, **options)


@pytest.fixture
def market(server: EmbeddedPostgres, tmp_path: Path) -> Market:
    return Market(server, tmp_path / "data")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "saved"


def document_of(person: Person) -> bytes:
    answer = person.get("/me/document")
    assert answer.status_code == 200, answer.json
    return bytes(answer.data)


def stored(market: Market, key: str) -> Path:
    return market.data_dir / "documents" / key


# -- whole, beside writes


def test_a_document_replaced_while_the_dump_is_held_is_in_the_backup(market: Market, saved: Path) -> None:
    failed: list[LaunchError] = []

    def save() -> None:
        try:
            market.save(saved)
        except LaunchError as error:
            failed.append(error)

    with market.running() as people:
        person = people.professional()
        before = document_of(person)
        [(key,)] = market.ask("SELECT store_key FROM documents")
        with psycopg.connect(market.owner) as holder:
            holder.execute("LOCK TABLE reviews IN ACCESS EXCLUSIVE MODE")
            saving = threading.Thread(target=save)
            saving.start()
            assert wait_until(lambda: market.ask(HELD) == [(1,)])
            assert person.put("/me/document", **form(picture(size=(9, 9)))).status_code == 200
            later = people.customer().id
        saving.join()
    assert not failed, failed
    assert (saved / "documents" / key).read_bytes() == stored(market, key).read_bytes()
    stored(market, key).unlink()  # as the delayed drop does
    market.restore(saved)
    assert market.ask("SELECT id FROM accounts WHERE id = %s", later) == []
    with market.running() as people:
        assert document_of(people.sign_in(person.username)) == before


def test_a_file_that_a_row_names_and_the_store_lacks_fails_the_backup(market: Market, saved: Path) -> None:
    with market.running() as people:
        people.professional()
    [(key,)] = market.ask("SELECT store_key FROM documents")
    stored(market, key).unlink()
    with pytest.raises(LaunchError, match=f"documents/{key} is missing"):
        market.save(saved)
    assert list(saved.parent.glob("saved*")) == []


def test_a_file_that_was_changed_fails_the_backup(market: Market, saved: Path) -> None:
    with market.running() as people:
        people.professional()
    [(key,)] = market.ask("SELECT store_key FROM documents")
    stored(market, key).write_bytes(b"another")
    with pytest.raises(LaunchError, match="differs from its digest"):
        market.save(saved)


def test_files_that_nobody_needs_may_vanish(market: Market, saved: Path) -> None:
    with market.running() as people:
        person = people.professional()
        assert person.put("/me/document", **form(picture(size=(9, 9)))).status_code == 200
    [(gone,)] = market.ask("SELECT store_key FROM documents WHERE replaced_at IS NOT NULL")
    stored(market, gone).unlink(missing_ok=True)
    unnamed = stored(market, "2026/11/.half.part")
    unnamed.write_text("of a write that was killed")
    market.save(saved)
    manifest = Manifest.read(saved)
    assert [file.store for file in manifest.files] == ["documents"]
    assert manifest.files[0].key != gone
    assert not (saved / "documents" / "2026/11/.half.part").exists()
    assert manifest.counts["documents"] == 2
    assert manifest.counts["accounts"] == 1


def test_every_table_that_names_files_is_saved_with_them(market: Market) -> None:
    naming = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'store_key'"
    )
    assert {name for (name,) in market.ask(naming)} == set(FILES)


# -- refused


def test_a_damaged_backup_is_refused_before_anything_is_touched(market: Market, saved: Path) -> None:
    with market.running() as people:
        people.professional()
    market.save(saved)
    [(key,)] = market.ask("SELECT store_key FROM documents")
    (saved / "documents" / key).write_bytes(b"another")
    with pytest.raises(LaunchError, match=f"documents/{key} was changed"):
        market.restore(saved)
    (saved / "documents" / key).unlink()
    with pytest.raises(LaunchError, match=f"documents/{key} is missing"):
        market.restore(saved)
    assert not list(market.data_dir.glob("before-restore-*"))


def test_rows_that_are_not_what_the_manifest_counts_are_refused(market: Market, saved: Path) -> None:
    with market.running() as people:
        people.customer()
    market.save(saved)
    content = json.loads((saved / "MANIFEST.json").read_text())
    content["counts"]["accounts"] += 1
    (saved / "MANIFEST.json").write_text(json.dumps(content))
    with pytest.raises(LaunchError, match="accounts has 1 rows instead of 2"):
        market.restore(saved)
    assert market.ask("SELECT count(*) FROM accounts") == [(1,)]
    assert databases(market) == {market.name}


def test_a_backup_of_a_later_version_is_refused(market: Market, saved: Path) -> None:
    market.save(saved)
    content = json.loads((saved / "MANIFEST.json").read_text())
    (saved / "MANIFEST.json").write_text(json.dumps({**content, "revision": "9999"}))
    with pytest.raises(LaunchError, match="database revision 9999"):
        market.restore(saved)


def test_a_folder_that_is_no_backup_is_refused(market: Market, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="not a backup"):
        market.restore(tmp_path)


def test_a_backup_is_never_written_over(market: Market, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="give a new name"):
        market.save(tmp_path)


def test_nothing_is_restored_under_a_running_product(market: Market, saved: Path) -> None:
    market.save(saved)
    with private_files.claim(market.data_dir), pytest.raises(LaunchError, match="already runs"):
        market.restore(saved)
    with psycopg.connect(market.app_url), pytest.raises(LaunchError, match="1 connections to the database are open"):
        market.restore(saved)


def test_what_is_there_is_saved_first_or_lost_only_when_asked(market: Market, saved: Path) -> None:
    with market.running() as people:
        kept = people.professional()
    market.save(saved)
    with market.running() as people:
        lost = people.professional()
    market.restore(saved)
    [before] = market.data_dir.glob("before-restore-*")
    market.restore(before, over=True)
    with market.running() as people:
        for person in (kept, lost):
            document_of(people.sign_in(person.username))
    [(key,)] = market.ask("SELECT store_key FROM documents WHERE account_id = %s", lost.id)
    stored(market, key).unlink()
    with pytest.raises(LaunchError, match=r"cannot be backed up: .*is missing.*OVER=1"):
        market.restore(saved)
    market.restore(saved, over=True)
    assert market.ask("SELECT count(*) FROM accounts") == [(1,)]
    assert databases(market) == {market.name}


def databases(market: Market) -> set[str]:
    """All databases of this market, leftovers included."""
    return {str(name) for (name,) in market.ask("SELECT datname FROM pg_database") if str(name).startswith(market.name)}


# -- across versions


@pytest.mark.parametrize("column", ["account_id bigint REFERENCES accounts (id)", "word text"])
def test_a_table_of_a_later_version_does_not_stand_in_the_way(market: Market, saved: Path, column: str) -> None:
    with market.running() as people:
        person = people.customer()
    market.save(saved)
    market.ask(f"CREATE TABLE newer (id bigint PRIMARY KEY, {column})")
    market.ask("INSERT INTO newer (id) VALUES (1)")
    market.ask("UPDATE alembic_version SET version_num = '9999'")
    market.restore(saved)
    assert market.ask("SELECT to_regclass('newer')") == [(None,)]
    with market.running() as people:
        assert people.sign_in(person.username).get("/me").status_code == 200


def test_a_backup_of_an_earlier_version_is_migrated(market: Market, saved: Path) -> None:
    with database(market.owner, market.name) as app:
        downgrade(revision="-1")
        close(app)
    [(earlier,)] = market.ask("SELECT version_num FROM alembic_version")
    market.save(saved)
    assert Manifest.read(saved).revision == earlier
    market.restore(saved)
    assert market.ask("SELECT version_num FROM alembic_version") > [(earlier,)]
    with market.running() as people:
        assert people.customer().get("/me").status_code == 200, "the application's role may use every table"


# -- nothing revived


@dataclass
class Past:
    """What was so when the backup was made, and is over now."""

    signed_out: Person
    blocked: Person
    professional: Person
    link: str


def a_past(market: Market, saved: Path) -> Past:
    with market.running() as people:
        people.admin()
        past = Past(people.customer(), people.customer(), people.professional(), "")
        with transaction():
            account = db.session.get_one(Account, past.signed_out.id)
            past.link = str(links.make(account, "password_reset", life=timedelta(hours=1))).rsplit("=", 1)[-1]
            notify(past.signed_out.id, "unblocked")
            enqueue("account.reset_link", {"account_id": past.signed_out.id}, key="a reset")
            enqueue("reminders.batch", {"run_id": 1, "after": 0, "until": 9}, key="a part")
            enqueue("export.run", {"export_id": 0}, key="stays")
            db.session.execute(text("INSERT INTO job_runs (name, period) VALUES ('daily-reminders', '2020-01-01')"))
    market.save(saved)
    with market.running() as people:
        past.signed_out.client = people.app.test_client()
        past.signed_out.post("/logout")
        with transaction():
            moderation.block(SYSTEM, account_id=past.blocked.id, reason="fraud", note="of three people")
            db.session.execute(text("UPDATE accounts SET password_hash = 'new' WHERE role = 'professional'"))
            db.session.execute(text("UPDATE professionals SET approval = 'rejected'"))
    return past


def test_a_restoration_revives_nothing(market: Market, saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    past = a_past(market, saved)
    market.restore(saved)
    told = capsys.readouterr().out
    with market.running() as people:
        for person in (past.signed_out, past.professional):
            person.client = people.app.test_client()
            assert person.get("/me").status_code == 401
        visitor = people.visitor()
        answer = visitor.post("/check", {"username": past.blocked.username, "password": "correct horse battery 9"})
        assert (answer.status_code, answer.json["code"]) == (403, "account_blocked")
        reset = visitor.post("/password/reset", {"token": past.link, "password": "another long password"})
        assert reset.status_code == 422
        assert db.session.get_one(Account, past.blocked.id).blocked_note == "of three people"
        assert db.session.get_one(Professional, past.professional.id).approval == "approved"
        states = db.session.execute(select(Delivery.state, Delivery.error)).all()
        assert {tuple(row) for row in states} == {("skipped", quarantine.REASON)}
    [(after,)] = market.ask("SELECT after FROM audit_entries WHERE action = 'backup_restored'")
    assert after["blocked"] == [past.blocked.username]
    assert market.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]
    assert after["sessions_ended"] == 3, "the fourth ended with the block"
    assert f"Blocked after the backup, and still blocked: {past.blocked.username}." in told
    assert f"have the one before again: {past.professional.username}." in told
    assert f"decide again: {past.professional.username} (rejected)." in told


def test_no_mail_and_no_reminder_goes_out_again(market: Market, saved: Path) -> None:
    a_past(market, saved)
    market.restore(saved)
    opened = "SELECT DISTINCT topic FROM jobs WHERE done_at IS NULL AND dead_at IS NULL"
    assert {topic for (topic,) in market.ask(opened)} <= quarantine.STAYS
    assert ("export.run",) in market.ask(opened)
    dead = "SELECT topic FROM jobs WHERE dead_at IS NOT NULL AND error = %s"
    assert {topic for (topic,) in market.ask(dead, quarantine.REASON)} >= {
        "notification.deliver",
        "account.reset_link",
        "reminders.batch",
    }
    assert market.ask("SELECT status FROM job_runs WHERE period = '2020-01-01'") == [("failed",)]
    with market.running():
        with transaction():
            begun = runs.claim_due()
        assert set(begun) <= {"housekeeping"}, "a minute may have passed"


def test_a_skipped_delivery_can_be_sent_again_from_the_log(market: Market, saved: Path) -> None:
    a_past(market, saved)
    market.restore(saved)
    [(delivery,), *_] = market.ask("SELECT id FROM deliveries WHERE kind = 'unblocked'")
    with market.running() as people:
        admin = people.admin()
        assert admin.post(f"/deliveries/{delivery}/resend").status_code in (200, 202)
    waiting = "SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND payload->>'delivery_id' = %s"
    assert market.ask(waiting, str(delivery)) == [(1,)]


def test_mail_may_be_kept(market: Market, saved: Path) -> None:
    a_past(market, saved)
    market.restore(saved, keep_mail=True)
    assert ("waiting",) in market.ask("SELECT state FROM deliveries")
    assert market.ask("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL") == [(0,)]
    assert market.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]


def test_the_only_admin_of_the_copy_stays_blocked_and_the_operator_is_told(
    market: Market, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with market.running() as people:
        first = people.admin()
    market.save(saved)
    with market.running() as people:
        people.admin()
        with transaction():
            moderation.block(SYSTEM, account_id=first.id, reason="other")
    market.restore(saved)
    told = capsys.readouterr().out
    assert "No admin can sign in" in told
    assert "1 accounts were created after the backup" in told
    assert market.ask("SELECT blocked_reason FROM accounts WHERE id = %s", first.id) == [("other",)]


def test_a_lost_database_is_restored_without_one_to_compare_with(
    market: Market, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with market.running() as people:
        person = people.professional()
        kept = document_of(person)
    market.save(saved)
    with psycopg.connect(market.server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {market.name}")
    market.settings = replace(market.settings, document_store_url=f"file://{market.data_dir / 'elsewhere'}")
    market.restore(saved)
    assert "no database to compare with" in capsys.readouterr().out
    with market.running() as people:
        assert document_of(people.sign_in(person.username)) == kept


# -- the command


def test_the_own_server_is_started_for_it(tmp_path: Path, saved: Path) -> None:
    settings = Settings.with_owner({"DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "k" * 40})
    own = EmbeddedPostgres(settings.data_dir, parameters=FAST)
    try:
        own.start()
        owner, app = own.roles()
        with database(owner, "doorstep") as made:
            upgrade()
            db.session.execute(text(PLACE))
            db.session.commit()
            close(made)
        database_roles.admit(owner, app)
        own.stop()
        backup.make(settings, saved)
        own.destroy()
        backup.restore(settings, saved)
        own.start()
        owner, app = own.roles()
        with psycopg.connect(app) as connection:
            assert connection.execute("SELECT pincode FROM places").fetchall() == [("560001",)]
    finally:
        own.destroy()


def test_the_line_that_says_what_went_wrong_is_shown(server: EmbeddedPostgres, tmp_path: Path) -> None:
    (tmp_path / "no.dump").write_text("not a dump")
    with pytest.raises(LaunchError, match="error: input file does not appear to be a valid archive"):
        database_programs.run("pg_restore", server.url, str(tmp_path / "no.dump"))


def test_the_command_says_what_is_wrong_in_one_line(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", market.app_url)
    monkeypatch.setenv("OWNER_DATABASE_URL", market.owner)
    monkeypatch.setenv("DATA_DIR", str(market.data_dir))
    assert backup.main(["restore", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert backup.main(["save", str(tmp_path / "one")]) == 0
    assert backup.main(["restore", str(tmp_path / "one"), "--over", "--keep-mail"]) == 0
    with pytest.raises(SystemExit):
        backup.main(["save", ""])

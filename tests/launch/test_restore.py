"""A restore works across versions and does not revive sessions, mails and jobs."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text

from backend.cli import quarantine
from backend.core.db.session import db, transaction
from backend.core.queue import enqueue, runs
from backend.core.security.authz import SYSTEM
from backend.domain.accounts import links, sign_in
from backend.domain.accounts.models import Account
from backend.domain.exports import actions as exports
from backend.domain.exports.compression import ExportPayload
from backend.domain.moderation import actions as moderation
from backend.domain.notifications.create import notify
from backend.domain.notifications.models import Delivery
from backend.domain.professionals.models import Professional
from backend.jobs import reminders
from backend.launch.manifest import Manifest
from backend.migrations.setup import downgrade
from tests.factories.users import User
from tests.launch.backup_market import Market, close, database, document_of

# -- across versions


@pytest.mark.parametrize("column", ["account_id bigint REFERENCES accounts (id)", "word text"])
def test_restore_over_newer_schema_drops_its_tables(market: Market, saved: Path, column: str) -> None:
    with market.running() as users:
        user = users.customer()
    market.save(saved)
    market.ask(f"CREATE TABLE newer (id bigint PRIMARY KEY, {column})")
    market.ask("INSERT INTO newer (id) VALUES (1)")
    market.ask("UPDATE alembic_version SET version_num = '9999'")
    market.restore(saved)
    assert market.ask("SELECT to_regclass('newer')") == [(None,)]
    with market.running() as users:
        assert users.sign_in(user.username).get("/me").status_code == 200


def test_restore_of_older_backup_runs_migrations(market: Market, saved: Path) -> None:
    with database(market.owner, market.name) as app:
        downgrade(revision="-1")
        close(app)
    [(earlier,)] = market.ask("SELECT version_num FROM alembic_version")
    market.save(saved)
    assert Manifest.read(saved).revision == earlier
    market.restore(saved)
    assert market.ask("SELECT version_num FROM alembic_version") > [(earlier,)]
    with market.running() as users:
        assert users.customer().get("/me").status_code == 200, "the application's role may use every table"


# -- nothing is revived


@dataclass
class Past:
    """Users whose state at the backup has changed since."""

    signed_out: User
    blocked: User
    professional: User
    link: str


def make_past(market: Market, saved: Path) -> Past:
    with market.running() as users:
        users.admin()
        past = Past(users.customer(), users.customer(), users.professional(), "")
        with transaction():
            account = db.session.get_one(Account, past.signed_out.id)
            past.link = str(links.make(account, "password_reset", life=timedelta(hours=1))).rsplit("=", 1)[-1]
            notify(past.signed_out.id, "unblocked")
            enqueue(sign_in.RESET_TOPIC, sign_in.ResetRequest("someone@example.org"), key="a reset")
            enqueue(reminders.PART, reminders.RemindersPart(1, 0, 9, date(2020, 1, 1)), key="a part")
            enqueue(exports.TOPIC, ExportPayload(0), key="stays")
            db.session.execute(text("INSERT INTO job_runs (name, period) VALUES ('daily-reminders', '2020-01-01')"))
    market.save(saved)
    with market.running() as users:
        past.signed_out.client = users.app.test_client()
        past.signed_out.post("/logout")
        with transaction():
            moderation.block(SYSTEM, account_id=past.blocked.id, reason="fraud", note="of three people")
            db.session.execute(text("UPDATE accounts SET password_hash = 'new' WHERE role = 'professional'"))
            db.session.execute(text("UPDATE professionals SET approval = 'rejected'"))
    return past


def test_restore_does_not_revive_sessions_links_and_blocked_accounts(
    market: Market, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = make_past(market, saved)
    market.restore(saved)
    output = capsys.readouterr().out
    with market.running() as users:
        for user in (past.signed_out, past.professional):
            user.client = users.app.test_client()
            assert user.get("/me").status_code == 401
        visitor = users.visitor()
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
    assert after["sessions_ended"] == 3, "the fourth was ended by the block"
    assert f"Blocked after the backup, and still blocked: {past.blocked.username}." in output
    assert f"have their previous password again: {past.professional.username}." in output
    assert f"decide again: {past.professional.username} (rejected)." in output


def test_restore_does_not_repeat_mails_and_reminders(market: Market, saved: Path) -> None:
    make_past(market, saved)
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
            started = runs.claim_due()
        assert set(started) <= {"housekeeping"}, "housekeeping may be due by now"


def test_restore_skipped_delivery_can_be_resent(market: Market, saved: Path) -> None:
    make_past(market, saved)
    market.restore(saved)
    [(delivery,), *_] = market.ask("SELECT id FROM deliveries WHERE kind = 'unblocked'")
    with market.running() as users:
        admin = users.admin()
        assert admin.post(f"/deliveries/{delivery}/resend").status_code in (200, 202)
    waiting = "SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND payload->>'delivery_id' = %s"
    assert market.ask(waiting, str(delivery)) == [(1,)]


def test_restore_with_keep_mail_keeps_deliveries_waiting(market: Market, saved: Path) -> None:
    make_past(market, saved)
    market.restore(saved, keep_mail=True)
    assert ("waiting",) in market.ask("SELECT state FROM deliveries")
    assert market.ask("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL") == [(0,)]
    assert market.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]


def test_restore_with_only_admin_blocked_warns_operator(
    market: Market, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with market.running() as users:
        first = users.admin()
    market.save(saved)
    with market.running() as users:
        users.admin()
        with transaction():
            moderation.block(SYSTEM, account_id=first.id, reason="other")
    market.restore(saved)
    output = capsys.readouterr().out
    assert "No admin can sign in" in output
    assert "1 accounts were created after the backup" in output
    assert market.ask("SELECT blocked_reason FROM accounts WHERE id = %s", first.id) == [("other",)]


def test_restore_without_existing_database_succeeds(
    market: Market, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with market.running() as users:
        user = users.professional()
        kept = document_of(user)
    market.save(saved)
    with psycopg.connect(market.server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {market.name}")
    market.settings = replace(market.settings, document_store_url=f"file://{market.data_dir / 'elsewhere'}")
    market.restore(saved)
    assert "no database to compare with" in capsys.readouterr().out
    with market.running() as users:
        assert document_of(users.sign_in(user.username)) == kept

"""Backups made during writes are consistent, and damaged ones are rejected."""

import json
import re
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from backend.core.db.session import db
from backend.launch import backup, database_programs, database_roles, private_files
from backend.launch.backup_contents import FILES
from backend.launch.embedded import EmbeddedPostgres
from backend.launch.errors import LaunchError
from backend.launch.manifest import Manifest
from backend.migrations.setup import upgrade
from backend.settings import Settings
from tests.conftest import FAST
from tests.factories.files import form, picture
from tests.factories.photos import upload_photo
from tests.launch.backup_market import PLACE, Market, close, database, document_of, stored
from tests.waiting import wait_until

HELD = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'pg_dump' AND wait_event_type = 'Lock'
"""


# -- consistent during writes


def test_backup_during_document_replacement_contains_old_document(market: Market, saved: Path) -> None:
    failed: list[LaunchError] = []

    def save() -> None:
        try:
            market.save(saved)
        except LaunchError as error:
            failed.append(error)

    with market.running() as users:
        user = users.professional()
        before = document_of(user)
        [(key,)] = market.ask("SELECT store_key FROM documents")
        with psycopg.connect(market.owner) as holder:
            holder.execute("LOCK TABLE reviews IN ACCESS EXCLUSIVE MODE")
            saving = threading.Thread(target=save)
            saving.start()
            assert wait_until(lambda: market.ask(HELD) == [(1,)])
            assert user.put("/me/document", **form(picture(size=(9, 9)))).status_code == 200
            later = users.customer().id
        saving.join()
    assert not failed, failed
    assert (saved / "documents" / key).read_bytes() == stored(market, key).read_bytes()
    stored(market, key).unlink()  # as the delayed drop does
    market.restore(saved)
    assert market.ask("SELECT id FROM accounts WHERE id = %s", later) == []
    with market.running() as users:
        assert document_of(users.sign_in(user.username)) == before


def test_backup_with_file_missing_in_store_fails(market: Market, saved: Path) -> None:
    with market.running() as users:
        users.professional()
    [(key,)] = market.ask("SELECT store_key FROM documents")
    stored(market, key).unlink()
    with pytest.raises(LaunchError, match=f"documents/{key} is missing"):
        market.save(saved)
    assert list(saved.parent.glob("saved*")) == []


def test_backup_with_changed_file_fails(market: Market, saved: Path) -> None:
    with market.running() as users:
        users.professional()
    [(key,)] = market.ask("SELECT store_key FROM documents")
    stored(market, key).write_bytes(b"another")
    with pytest.raises(LaunchError, match="differs from its digest"):
        market.save(saved)


def test_backup_leaves_out_files_of_replaced_documents_and_unfinished_writes(market: Market, saved: Path) -> None:
    with market.running() as users:
        user = users.professional()
        assert user.put("/me/document", **form(picture(size=(9, 9)))).status_code == 200
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


def test_backup_covers_every_table_with_store_keys(market: Market) -> None:
    naming = """
        SELECT column_name, table_name FROM information_schema.columns
         WHERE table_schema = 'public' AND right(column_name, 9) = 'store_key'
    """
    parts = [part for query in FILES.values() for part in query.replace(" ||", ",").split("UNION ALL")]
    named = market.ask(naming)
    assert len(named) == 6
    for column, table in named:
        reads = [part for part in parts if f" {column}," in part and re.search(rf"FROM {table}\b", part)]
        assert len(reads) == 1, (column, table)


def test_backup_contains_both_files_of_current_photos(market: Market, saved: Path) -> None:
    with market.running() as users:
        ravi = users.professional(approved=False)
        upload_photo(ravi, 300)
        upload_photo(ravi, 320)
        shown = ravi.get("/me/profile/photo").data
    [gone] = market.ask("SELECT store_key, small_store_key FROM profile_photos WHERE replaced_at IS NOT NULL")
    for key in gone:
        stored(market, key).unlink()
    market.save(saved)
    [current] = market.ask("SELECT store_key, small_store_key FROM profile_photos WHERE replaced_at IS NULL")
    assert {file.key for file in Manifest.read(saved).files} == set(current)
    stored(market, current[0]).unlink()
    market.restore(saved, over=True)
    with market.running() as users:
        assert users.sign_in(ravi.username).get("/me/profile/photo").data == shown


# -- rejected


def test_restore_of_damaged_backup_is_rejected_before_any_change(market: Market, saved: Path) -> None:
    with market.running() as users:
        users.professional()
    market.save(saved)
    [(key,)] = market.ask("SELECT store_key FROM documents")
    (saved / "documents" / key).write_bytes(b"another")
    with pytest.raises(LaunchError, match=f"documents/{key} was changed"):
        market.restore(saved)
    (saved / "documents" / key).unlink()
    with pytest.raises(LaunchError, match=f"documents/{key} is missing"):
        market.restore(saved)
    assert not list(market.data_dir.glob("before-restore-*"))


def test_restore_with_row_counts_unlike_manifest_is_rejected(market: Market, saved: Path) -> None:
    with market.running() as users:
        users.customer()
    market.save(saved)
    content = json.loads((saved / "MANIFEST.json").read_text())
    content["counts"]["accounts"] += 1
    (saved / "MANIFEST.json").write_text(json.dumps(content))
    with pytest.raises(LaunchError, match="accounts has 1 rows instead of 2"):
        market.restore(saved)
    assert market.ask("SELECT count(*) FROM accounts") == [(1,)]
    assert databases(market) == {market.name}


def test_restore_of_backup_from_later_version_is_rejected(market: Market, saved: Path) -> None:
    market.save(saved)
    content = json.loads((saved / "MANIFEST.json").read_text())
    (saved / "MANIFEST.json").write_text(json.dumps({**content, "revision": "9999"}))
    with pytest.raises(LaunchError, match="database revision 9999"):
        market.restore(saved)


def test_restore_of_folder_without_manifest_is_rejected(market: Market, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="not a backup"):
        market.restore(tmp_path)


def test_backup_into_existing_folder_is_rejected(market: Market, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="give a new name"):
        market.save(tmp_path)


def test_restore_during_running_product_is_rejected(market: Market, saved: Path) -> None:
    market.save(saved)
    with private_files.claim(market.data_dir), pytest.raises(LaunchError, match="already runs"):
        market.restore(saved)
    with psycopg.connect(market.app_url), pytest.raises(LaunchError, match="1 connections to the database are open"):
        market.restore(saved)


def test_restore_saves_existing_data_first_unless_over_is_set(market: Market, saved: Path) -> None:
    with market.running() as users:
        kept = users.professional()
    market.save(saved)
    with market.running() as users:
        lost = users.professional()
    market.restore(saved)
    [before] = market.data_dir.glob("before-restore-*")
    market.restore(before, over=True)
    with market.running() as users:
        for user in (kept, lost):
            document_of(users.sign_in(user.username))
    [(key,)] = market.ask("SELECT store_key FROM documents WHERE account_id = %s", lost.id)
    stored(market, key).unlink()
    with pytest.raises(LaunchError, match=r"cannot be backed up: .*is missing.*OVER=1"):
        market.restore(saved)
    market.restore(saved, over=True)
    assert market.ask("SELECT count(*) FROM accounts") == [(1,)]
    assert databases(market) == {market.name}


def databases(market: Market) -> set[str]:
    """Return all databases of this marketplace, including leftovers."""
    return {str(name) for (name,) in market.ask("SELECT datname FROM pg_database") if str(name).startswith(market.name)}


# -- the command


def test_backup_and_restore_start_embedded_server(tmp_path: Path, saved: Path) -> None:
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


def test_database_program_failure_reports_its_error_line(server: EmbeddedPostgres, tmp_path: Path) -> None:
    (tmp_path / "no.dump").write_text("not a dump")
    with pytest.raises(LaunchError, match="error: input file does not appear to be a valid archive"):
        database_programs.run("pg_restore", server.url, str(tmp_path / "no.dump"))


def test_backup_command_reports_errors_in_one_line(
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

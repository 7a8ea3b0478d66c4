"""The permissions of the application's database role."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest

from backend.app import create_app
from backend.core.db.session import db
from backend.launch import database_roles
from backend.launch.errors import LaunchError
from backend.migrations.setup import upgrade
from backend.settings import Settings

APPEND_ONLY = ("audit_entries", "request_events")
FORBIDDEN = (
    "UPDATE {} SET action = 'x'",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "ALTER TABLE {} DISABLE TRIGGER USER",
    "ALTER TABLE {} DISABLE TRIGGER append_only",
    "DROP TRIGGER append_only ON {}",
    "DROP TABLE {}",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
)


@dataclass(frozen=True)
class Addresses:
    """One database with the URLs of three roles."""

    superuser: str
    owner: str
    app: str


@pytest.fixture(scope="module")
def addresses(settings: Settings, postgres_url: str) -> Iterator[Addresses]:
    """Create and migrate a database whose owner may create roles, and admit the application's role."""
    name, mark = "two_roles", secrets.token_hex(4)
    server = postgres_url.rsplit("@", 1)[1].rsplit("/", 1)[0]
    superuser = f"{postgres_url.rsplit('/', 1)[0]}/{name}"
    owner, app = (f"postgresql://{kind}_{mark}:secret@{server}/{name}" for kind in ("owner", "app"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        database_roles.put_role(connection, f"owner_{mark}", "secret")
        connection.execute(f"ALTER ROLE owner_{mark} CREATEROLE")
    made = create_app(replace(settings, database_url=superuser))
    with made.app_context():
        upgrade()  # as an earlier version did, with a single role
        db.session.remove()
        db.engine.dispose()
    with psycopg.connect(superuser, autocommit=True) as connection:
        database_roles.hand_over(connection, owner=f"owner_{mark}")
    database_roles.admit(owner, app)
    yield Addresses(superuser, owner, app)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in (f"app_{mark}", f"owner_{mark}"):
            connection.execute(f"DROP ROLE {role}")


def outcome(url: str, order: str) -> str:
    """Return the SQLSTATE of a statement, which is rolled back."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(order)
        except psycopg.Error as error:
            return str(error.sqlstate)
        finally:
            connection.rollback()
    return "00000"


@pytest.mark.parametrize("order", FORBIDDEN)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_app_role_cannot_change_append_only_tables(addresses: Addresses, table: str, order: str) -> None:
    assert outcome(addresses.app, order.format(table)) == "42501", "insufficient privilege"


@pytest.mark.parametrize(
    "order",
    [
        "SET session_replication_role = replica",
        "COPY tasks TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "CREATE TABLE mine (a int)",
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER TABLE accounts ADD COLUMN x int",
        "UPDATE alembic_version SET version_num = 'x'",
        "DELETE FROM places",
        "INSERT INTO audit_seals (position, entry_id, digest, hash) VALUES (9, 9, '', '')",
        "CREATE ROLE another SUPERUSER",
        "GRANT UPDATE ON audit_entries TO CURRENT_USER",
    ],
)
def test_app_role_has_no_administrative_permissions(addresses: Addresses, order: str) -> None:
    sqlstate = outcome(addresses.app, order)
    assert sqlstate == "42501" or (sqlstate == "00000" and order.startswith("GRANT")), sqlstate
    assert outcome(addresses.app, "UPDATE audit_entries SET action = 'x'") == "42501"


def test_app_role_reads_and_writes_rows(addresses: Addresses) -> None:
    entry = "INSERT INTO audit_entries (actor_role, action, subject_kind) VALUES ('market', 'tested', 'account')"
    setting = "INSERT INTO market_settings (name, value) VALUES ('a', '1')"
    for order in (
        entry,
        setting,
        "SELECT * FROM audit_entries",
        "DELETE FROM sessions",
        "SELECT * FROM alembic_version",
        "UPDATE price_lines SET state = state",
    ):
        assert outcome(addresses.app, order) == "00000", order


def test_tables_belong_to_owner_role_and_are_readable_by_app_role(addresses: Addresses) -> None:
    with psycopg.connect(addresses.owner) as connection:
        rows = connection.execute(
            "SELECT relname, pg_get_userbyid(relowner), has_table_privilege(%s, oid, 'SELECT') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
            (database_roles.user_of(addresses.app),),
        ).fetchall()
    assert len(rows) > 20
    assert {owner for _, owner, _ in rows} == {database_roles.user_of(addresses.owner)}
    assert [name for name, _, readable in rows if not readable] == []


def test_admit_grants_rights_on_new_table_and_can_be_repeated(addresses: Addresses) -> None:
    with psycopg.connect(addresses.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE newer (a int)")
        assert outcome(addresses.app, "SELECT * FROM newer") == "42501"
        database_roles.admit(addresses.owner, addresses.app)
        database_roles.admit(addresses.owner, addresses.app)
        assert outcome(addresses.app, "INSERT INTO newer VALUES (1)") == "00000"
        assert outcome(addresses.app, "DELETE FROM audit_entries") == "42501"
        connection.execute("DROP TABLE newer")


def test_admit_superuser_as_app_role_is_rejected(addresses: Addresses) -> None:
    with pytest.raises(LaunchError, match="is a superuser"):
        database_roles.admit(addresses.owner, addresses.superuser)


def test_admit_with_wrong_password_is_rejected(addresses: Addresses) -> None:
    with pytest.raises(LaunchError, match="cannot sign in"):
        database_roles.admit(addresses.owner, addresses.app.replace(":secret@", ":guess@"))


def test_admit_with_one_role_for_both_changes_nothing(addresses: Addresses) -> None:
    database_roles.admit(addresses.superuser, addresses.superuser)

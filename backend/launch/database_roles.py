"""Two database roles: the owner changes tables, the application only reads and writes rows.

An attacker in the application (an injected statement, a bug) can then neither disable the append-only triggers nor run
programs on the database server or read its files. Migrations, backup and the self-check's clean-up use the owner.
"""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from backend.launch.errors import LaunchError

LOCK: Final = 7_310_544_204  # any number unique to this module; serialises concurrent preparations
READ_ONLY: Final = (
    "alembic_version",
    "places",
    "place_imports",
    "localities",
    "regions",
    "audit_seals",  # by the owner's own trigger
)  # written by preparation alone
APPEND_ONLY: Final = """
SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE p.proname = 'refuse_change' AND c.relnamespace = 'public'::regnamespace
"""
TABLES: Final = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
"""
TOO_MUCH: Final = """
SELECT rolsuper, pg_has_role(rolname, (SELECT relowner FROM pg_class WHERE oid = 'audit_entries'::regclass), 'MEMBER')
  FROM pg_roles WHERE rolname = %s
"""
# Objects of extensions keep their owner; sequences of identity columns follow their tables.
OF_OTHERS: Final = """
SELECT kind, name FROM (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
               AS kind, oid::regclass::text AS name, oid, 'pg_class'::regclass AS of, relowner AS owner
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text, oid, 'pg_proc'::regclass, proowner
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS found
 WHERE owner <> %s::regrole AND NOT EXISTS (
    SELECT 1 FROM pg_depend d
     WHERE d.classid = found.of AND d.objid = found.oid AND d.deptype IN ('e', 'a', 'i'))
"""


def user_of(url: str) -> str:
    """Return the role in a database URL."""
    return str(conninfo_to_dict(url).get("user", ""))


def put_role(connection: psycopg.Connection[TupleRow], name: str, password: str, *, options: str = "") -> None:
    """Create a login role, or set its password. The server sees and logs only a verifier."""
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    order = "ALTER" if there else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}").format(
            sql.SQL(order), sql.Identifier(name), sql.SQL(options), sql.Literal(verifier)
        )
    )


def hand_over(connection: psycopg.Connection[TupleRow], *, owner: str) -> None:
    """Make a role the owner of this database and everything in it. Requires a superuser."""
    name = sql.Identifier(owner)
    database = sql.Identifier(connection.info.dbname)
    with connection.transaction():
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, name))
        for kind, thing in connection.execute(OF_OTHERS, (owner,)).fetchall():
            order = sql.SQL("ALTER {} {} OWNER TO {}")
            connection.execute(order.format(sql.SQL(kind), sql.SQL(thing), name))  # both quoted by PostgreSQL


def admit(owner_url: str, app_url: str, *, defaults: Mapping[str, str] | None = None) -> None:
    """Grant the application's role what it needs in this database and nothing else. Safe to repeat, also concurrently.

    ``defaults``: session settings to make defaults of the role, before a pooler opens its first session.

    Raises LaunchError if that role cannot be created, cannot sign in, or has too many rights.
    """
    app = user_of(app_url)
    if app != user_of(owner_url):
        _admit(owner_url, app_url, app)
    try:
        if defaults:
            _set_defaults(owner_url, app_url, defaults)
        psycopg.connect(app_url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise LaunchError(f"The role {app} of DATABASE_URL cannot sign in: {str(error).splitlines()[-1]}") from None


def _admit(owner_url: str, app_url: str, app: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (app,)).fetchone():
            _make(connection, app, str(conninfo_to_dict(app_url).get("password", "")))
        _refuse_too_much(connection, app)
        _grant(connection, app)


def _make(connection: psycopg.Connection[TupleRow], app: str, password: str) -> None:
    try:
        put_role(connection, app, password)
    except psycopg.errors.InsufficientPrivilege:
        raise LaunchError(
            f"The role {app} of DATABASE_URL does not exist, and the role of OWNER_DATABASE_URL may not make one. "
            f"As an administrator of the database: CREATE ROLE {app} LOGIN PASSWORD '...'"
        ) from None


def _refuse_too_much(connection: psycopg.Connection[TupleRow], app: str) -> None:
    is_superuser, is_owner = connection.execute(TOO_MUCH, (app,)).fetchone() or (False, False)
    if is_superuser or is_owner:
        what = "is a superuser" if is_superuser else "owns the tables"
        raise LaunchError(
            f"The role {app} of DATABASE_URL {what}: name a plain role there, or leave OWNER_DATABASE_URL empty."
        )


def _grant(connection: psycopg.Connection[TupleRow], app: str) -> None:
    """Return the grants, run in one transaction with the revocation, so that a running product never lacks rights."""
    role, database = sql.Identifier(app), sql.Identifier(connection.info.dbname)
    tables = [name for (name,) in connection.execute(TABLES)]
    append_only = {name for (name,) in connection.execute(APPEND_ONLY)}
    orders: list[sql.SQL | sql.Composed] = [
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(role),
    ]
    for name in tables:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        if name in READ_ONLY:
            rights = "SELECT"
        elif name in append_only:
            rights = "SELECT, INSERT"
        orders.append(sql.SQL("GRANT {} ON TABLE {} TO {}").format(sql.SQL(rights), sql.Identifier(name), role))
    for order in orders:
        connection.execute(order)


def _set_defaults(owner_url: str, app_url: str, wanted: Mapping[str, str]) -> None:
    """Make session settings defaults of the application's role in this database, for the sessions of a pooler.

    The role sets them itself, past the pooler. New sessions have them, the pooler's open ones do not.
    """
    application = conninfo_to_dict(app_url)
    own = {name: application[name] for name in ("user", "password") if name in application}
    with psycopg.connect(make_conninfo(owner_url, **own)) as connection:
        connection.execute("SELECT word_similarity('a', 'b')")  # loads pg_trgm, whose setting is unknown before
        name = sql.Identifier(connection.info.dbname)
        for setting, value in wanted.items():
            order = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}")
            variable = sql.SQL(".").join(sql.Identifier(part) for part in setting.split("."))
            connection.execute(order.format(name, variable, sql.Literal(value)))

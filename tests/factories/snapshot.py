"""The rows of all tables at one time, to be put back after a call that changed them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from backend.core.db.session import db

# Places are never changed by calls. A version that came back would let caches serve what is no longer true.
KEPT: Final = ("places", "place_imports", "localities", "regions", "alembic_version", "cache_versions")
SCHEMA: Final = "snapshot"
COLUMNS: Final = text("""
    SELECT c.table_name, string_agg(quote_ident(c.column_name), ', ') AS names
      FROM information_schema.columns c
      JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
     GROUP BY c.table_name ORDER BY c.table_name
""")


@dataclass(frozen=True)
class Snapshot:
    """Copies of the rows. Sequences are not put back, so ids are never used twice."""

    script: str

    @classmethod
    def take(cls) -> "Snapshot":
        """Copy all rows into a schema beside the tables, in place of an earlier snapshot."""
        db.session.rollback()
        with db.engine.begin() as connection:
            tables = {row.table_name: row.names for row in connection.execute(COLUMNS) if row.table_name not in KEPT}
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
            rows = {name: f"SELECT {columns} FROM public.{name}" for name, columns in tables.items()}  # noqa: S608 - names from the catalogue
            filled = [name for name in tables if connection.exec_driver_sql(f"{rows[name]} LIMIT 1").first()]
            for name in filled:
                connection.exec_driver_sql(f"CREATE TABLE {SCHEMA}.{name} AS {rows[name]}")
        # Triggers and foreign keys are bypassed, as only a superuser can. On few rows DELETE is faster than TRUNCATE.
        deletions = [f"DELETE FROM {name}" for name in tables]  # noqa: S608 - names from the catalogue
        insertions = [
            f"INSERT INTO {name} ({tables[name]}) OVERRIDING SYSTEM VALUE TABLE {SCHEMA}.{name}" for name in filled
        ]
        return cls("; ".join(["SET LOCAL session_replication_role = replica", *deletions, *insertions]))

    def restore(self) -> None:
        """Put the rows back as they were when the snapshot was taken."""
        db.session.rollback()
        with db.engine.begin() as connection:
            connection.exec_driver_sql(self.script)

    @staticmethod
    def drop() -> None:
        """Remove the copies."""
        with db.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

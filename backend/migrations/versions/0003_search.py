"""Tasks and search: what is typed made comparable, pictures and search words, synonyms, availability by place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# unaccent() is only STABLE because its dictionary could be exchanged; ours never is, so indexes may rest on it.
FUNCTIONS = """
CREATE FUNCTION plain_text(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT lower(public.unaccent('public.unaccent', $1)) $$;
CREATE FUNCTION join_words(text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT array_to_string($1, ' ') $$;
"""
SEARCH_TEXT = "plain_text(name || ' ' || category || ' ' || join_words(search_words))"


def upgrade() -> None:
    op.execute(FUNCTIONS)
    op.add_column("tasks", sa.Column("professionals", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("tasks", sa.Column("picture", sa.Text(), nullable=True))
    op.add_column(
        "tasks",
        sa.Column("search_words", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'::text[]"), nullable=False),
    )
    op.add_column(
        "tasks", sa.Column("search_text", sa.Text(), sa.Computed(SEARCH_TEXT, persisted=True), nullable=False)
    )
    op.create_index(
        "ix_tasks_search_text", "tasks", [sa.literal_column("search_text gin_trgm_ops")], postgresql_using="gin"
    )
    op.create_table(
        "task_synonyms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("phrases", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("cardinality(phrases) BETWEEN 2 AND 20", name=op.f("ck_task_synonyms_phrases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_synonyms")),
    )
    _cascade("professional_tasks", "CASCADE")
    _places()


def _places() -> None:
    name_key = sa.Computed("plain_text(name)", persisted=True)
    bytewise = sa.Text(collation="C")
    op.add_column("localities", sa.Column("name_key", bytewise, name_key, nullable=False))
    op.create_index("ix_localities_name", "localities", ["name_key", "pincode", "id"])
    op.create_index(
        "ix_localities_similar", "localities", [sa.literal_column("name_key gin_trgm_ops")], postgresql_using="gin"
    )
    op.create_index("ix_places_district", "places", ["state", "district"])
    op.create_table(
        "regions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name_key", bytewise, sa.Computed("plain_text(name)", persisted=True), nullable=False),
        sa.CheckConstraint("kind IN ('district', 'state')", name=op.f("ck_regions_kind")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_regions")),
    )
    op.create_index("ix_regions_name", "regions", ["name_key"])


def downgrade() -> None:
    op.drop_table("regions")
    op.drop_index("ix_places_district", table_name="places")
    op.drop_index("ix_localities_similar", table_name="localities")
    op.drop_index("ix_localities_name", table_name="localities")
    op.drop_column("localities", "name_key")
    _cascade("professional_tasks", None)
    op.drop_table("task_synonyms")
    op.drop_index("ix_tasks_search_text", table_name="tasks")
    for column in ("search_text", "search_words", "picture", "professionals"):
        op.drop_column("tasks", column)
    op.execute("DROP FUNCTION join_words(text[]); DROP FUNCTION plain_text(text)")


def _cascade(table: str, ondelete: str | None) -> None:
    """A destroyed task leaves the lists of those who did it."""
    name = f"fk_{table}_task_id"
    op.drop_constraint(name, table, type_="foreignkey")
    op.create_foreign_key(name, table, "tasks", ["task_id"], ["id"], ondelete=ondelete)

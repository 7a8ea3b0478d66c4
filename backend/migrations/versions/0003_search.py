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
CREATE FUNCTION metres_from(point cube, latitude double precision, longitude double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CAST(round(earth_distance(CAST($1 AS earth), ll_to_earth($2, $3))) AS integer) $$;
"""
# Which places a professional serves: those within the radius around home, and those listed; and their regions.
PLACES_SERVED = """
CREATE FUNCTION places_served(home text, radius_km integer, listed text[])
    RETURNS TABLE (place text, metres integer) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH centre AS (
        SELECT ll_to_earth(latitude, longitude) AS point FROM places WHERE pincode = home
    ), near AS (
        SELECT p.pincode, p.state, p.district,
               metres_from(c.point, p.latitude, p.longitude) AS metres
          FROM centre c JOIN places p
            ON p.latitude IS NOT NULL
           AND earth_box(c.point, radius_km * 1000.0) @> ll_to_earth(p.latitude, p.longitude)
    ), served AS (
        SELECT n.pincode, n.state, n.district, n.metres FROM near n WHERE n.metres <= radius_km * 1000
        UNION
        SELECT p.pincode, p.state, p.district,
               coalesce(metres_from(c.point, p.latitude, p.longitude), 0)
          FROM centre c, places p WHERE p.pincode = ANY(listed || home)
    )
    SELECT s.pincode, s.metres FROM served s
    UNION ALL
    SELECT DISTINCT s.state || '/' || s.district, CAST(NULL AS integer) FROM served s
    UNION ALL
    SELECT DISTINCT s.state, CAST(NULL AS integer) FROM served s
$$
"""
# Fires once at the end of each transaction that changed what a search shows, so its row is locked for an instant only.
VERSIONS = """
CREATE FUNCTION new_cache_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('doorstep.new_version', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        PERFORM set_config('doorstep.new_version', pg_current_xact_id()::text, true);
        INSERT INTO cache_versions (name, version) VALUES (TG_ARGV[0], gen_random_uuid())
            ON CONFLICT (name) DO UPDATE SET version = excluded.version;
    END IF;
    RETURN NULL;
END $$;
"""
VERSIONED = ("tasks", "task_synonyms", "professional_areas")
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
    _availability()
    _versions()


def _availability() -> None:
    op.execute(PLACES_SERVED)
    op.create_table(
        "professional_areas",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.Column("radius_km", sa.Integer(), nullable=False),
        sa.Column("listed", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("task_ids", postgresql.ARRAY(sa.BIGINT()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["professionals.account_id"], name=op.f("fk_professional_areas_account_id")
        ),
        sa.ForeignKeyConstraint(["pincode"], ["places.pincode"], name=op.f("fk_professional_areas_pincode")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_professional_areas")),
    )
    op.create_index("ix_professional_areas_pincode", "professional_areas", ["pincode"])
    op.create_table(
        "task_places",
        sa.Column("place", sa.Text(), nullable=False),
        *_task_counts("task_places"),
        sa.Column("nearest", sa.Integer(), nullable=True),
        sa.Column(
            "distances", postgresql.ARRAY(sa.INTEGER()), server_default=sa.text("'{}'::integer[]"), nullable=False
        ),
        sa.PrimaryKeyConstraint("place", "task_id", name=op.f("pk_task_places")),
    )
    op.create_index("ix_task_places_task", "task_places", ["task_id"])
    op.create_table(
        "task_homes",
        sa.Column("pincode", sa.Text(), nullable=False),
        *_task_counts("task_homes"),
        sa.PrimaryKeyConstraint("pincode", "task_id", name=op.f("pk_task_homes")),
    )
    op.create_index("ix_task_homes_task", "task_homes", ["task_id"])


def _task_counts(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("professionals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f(f"fk_{table}_task_id"), ondelete="CASCADE"),
    ]


def _versions() -> None:
    op.create_table(
        "cache_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.UUID(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cache_versions")),
    )
    op.execute("INSERT INTO cache_versions (name, version) VALUES ('catalogue', gen_random_uuid())")
    op.execute(VERSIONS)
    for table in VERSIONED:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER new_cache_version AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION new_cache_version('catalogue')"
        )


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
    for table in VERSIONED:
        op.execute(f"DROP TRIGGER new_cache_version ON {table}")
    op.execute("DROP FUNCTION new_cache_version()")
    for table in ("cache_versions", "task_homes", "task_places", "professional_areas"):
        op.drop_table(table)
    op.execute("DROP FUNCTION places_served(text, integer, text[])")
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
    op.execute("DROP FUNCTION metres_from(cube, double precision, double precision)")
    op.execute("DROP FUNCTION join_words(text[]); DROP FUNCTION plain_text(text)")


def _cascade(table: str, ondelete: str | None) -> None:
    """A destroyed task leaves the lists of those who did it."""
    name = f"fk_{table}_task_id"
    op.drop_constraint(name, table, type_="foreignkey")
    op.create_foreign_key(name, table, "tasks", ["task_id"], ["id"], ondelete=ondelete)

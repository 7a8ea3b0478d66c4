"""Public profiles: a text, a photo that admins decide on, and how often each rating was given.

The counts are kept beside the rating, so that a profile reads one row instead of all reviews. What a public profile
shows changes the version of the catalogue, and with it what caches may repeat; the number of completed tasks does not,
because it changes with every completion and may be a minute old.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COUNTED = """
UPDATE professionals AS p SET rating_counts = counted.counts
  FROM (SELECT professional_id,
               ARRAY[count(*) FILTER (WHERE rating = 1), count(*) FILTER (WHERE rating = 2),
                     count(*) FILTER (WHERE rating = 3), count(*) FILTER (WHERE rating = 4),
                     count(*) FILTER (WHERE rating = 5)] AS counts
          FROM reviews WHERE hidden_at IS NULL GROUP BY professional_id) AS counted
 WHERE counted.professional_id = p.account_id
"""
SHOWN = ("compname", "exp", "about", "approval_expires_at")
VERSIONED = {
    "professionals": (f"UPDATE OF {', '.join(SHOWN)}", " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in SHOWN)),
    "accounts": ("UPDATE OF firstname", "OLD.role = 'professional' AND OLD.firstname IS DISTINCT FROM NEW.firstname"),
    "reviews": ("UPDATE OF reply", "OLD.reply IS DISTINCT FROM NEW.reply"),
    "profile_photos": ("UPDATE OR DELETE", "true"),
}


def upgrade() -> None:
    op.add_column("professionals", sa.Column("about", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "professionals",
        sa.Column(
            "rating_counts",
            postgresql.ARRAY(sa.BIGINT()),
            server_default=sa.text("'{0,0,0,0,0}'::bigint[]"),
            nullable=False,
        ),
    )
    op.create_check_constraint(
        op.f("ck_professionals_rating_counts"), "professionals", "cardinality(rating_counts) = 5"
    )
    op.execute(COUNTED)
    _photos()
    for table, (event, condition) in VERSIONED.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER new_cache_version AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION new_cache_version('catalogue')"
        )


def _photos() -> None:
    op.create_table(
        "profile_photos",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("store_key", sa.Text(), nullable=False),
        sa.Column("small_size", sa.BigInteger(), nullable=False),
        sa.Column("small_sha256", sa.Text(), nullable=False),
        sa.Column("small_store_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'approved', 'rejected')", name=op.f("ck_profile_photos_state")),
        sa.CheckConstraint(
            "(state = 'pending') = (decided_at IS NULL)", name=op.f("ck_profile_photos_decided_has_time")
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR reason IS NOT NULL", name=op.f("ck_profile_photos_rejected_has_reason")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_profile_photos_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_photos")),
        sa.UniqueConstraint("store_key", name=op.f("uq_profile_photos_store_key")),
        sa.UniqueConstraint("small_store_key", name=op.f("uq_profile_photos_small_store_key")),
    )
    op.create_index(
        "uq_profile_photos_shown",
        "profile_photos",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL AND state = 'approved'"),
    )
    op.create_index(
        "uq_profile_photos_submitted",
        "profile_photos",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL AND state <> 'approved'"),
    )
    op.create_index(
        "ix_profile_photos_state",
        "profile_photos",
        ["state", "created_at", "id"],
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def downgrade() -> None:
    for table in VERSIONED:
        op.execute(f"DROP TRIGGER new_cache_version ON {table}")
    op.drop_table("profile_photos")
    op.drop_column("professionals", "rating_counts")
    op.drop_column("professionals", "about")

"""People: what sessions, documents, searching for people and moderation need."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# unaccent() alone is not IMMUTABLE, for its dictionary could change; naming the dictionary makes it safe to index.
FOLDED = """
CREATE FUNCTION folded(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(public.unaccent('public.unaccent'::regdictionary, value))
"""
# Stored in the row: folding 100,000 rows again for each search that fits many of them took seconds.
NAME_TEXT = "folded(firstname || ' ' || lastname)"
PERSON_TEXT = "folded(firstname || ' ' || lastname || ' ' || username || ' ' || email || ' ' || coalesce(phone, ''))"


def upgrade() -> None:
    op.execute(FOLDED)
    op.add_column("professionals", sa.Column("expiry_reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "ALTER TABLE professionals ADD COLUMN rating numeric(3, 2) GENERATED ALWAYS AS"
        " (CASE WHEN rating_count > 0 THEN round(rating_sum::numeric / rating_count, 2) ELSE 0 END) STORED"
    )
    op.create_index("ix_professionals_rating", "professionals", [sa.text("rating DESC"), sa.text("account_id DESC")])
    op.create_index(
        "ix_professionals_expiring",
        "professionals",
        ["approval_expires_at"],
        postgresql_where=sa.text("approval = 'approved' AND approval_expires_at IS NOT NULL"),
    )
    op.add_column("accounts", sa.Column("name_text", sa.Text(), sa.Computed(NAME_TEXT, persisted=True), nullable=False))
    op.add_column(
        "accounts", sa.Column("person_text", sa.Text(), sa.Computed(PERSON_TEXT, persisted=True), nullable=False)
    )
    op.add_column(
        "professionals",
        sa.Column("company_text", sa.Text(), sa.Computed("folded(compname)", persisted=True), nullable=False),
    )
    op.create_index(
        "ix_accounts_person_text",
        "accounts",
        ["person_text"],
        postgresql_using="gin",
        postgresql_ops={"person_text": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_professionals_company_text",
        "professionals",
        ["company_text"],
        postgresql_using="gin",
        postgresql_ops={"company_text": "gin_trgm_ops"},
    )
    op.create_index("ix_accounts_name", "accounts", ["role", "name_text", "id"])
    op.create_index("ix_accounts_pincode", "accounts", ["pincode", "role"])
    op.create_index(
        "ix_accounts_blocked", "accounts", ["role", "blocked_at"], postgresql_where=sa.text("blocked_at IS NOT NULL")
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index("ix_sign_in_failures_account", "sign_in_failures", ["account_key", "at"])
    op.create_index("ix_sign_in_failures_address", "sign_in_failures", ["address", "at"])
    op.create_index("ix_sign_in_failures_at", "sign_in_failures", ["at"])
    op.create_table(
        "mailed_links",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('password_reset', 'email_confirmation')", name=op.f("ck_mailed_links_purpose")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_mailed_links_account_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_mailed_links")),
    )
    op.create_index("ix_mailed_links_account", "mailed_links", ["account_id", "purpose", "created_at"])
    op.create_index("ix_mailed_links_expires", "mailed_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("mailed_links")
    op.drop_table("sign_in_failures")
    op.drop_index("ix_accounts_blocked", table_name="accounts")
    op.drop_index("ix_accounts_pincode", table_name="accounts")
    op.drop_index("ix_accounts_name", table_name="accounts")
    op.drop_index("ix_professionals_company_text", table_name="professionals")
    op.drop_index("ix_accounts_person_text", table_name="accounts")
    op.drop_column("professionals", "company_text")
    op.drop_column("accounts", "person_text")
    op.drop_column("accounts", "name_text")
    op.drop_index("ix_professionals_expiring", table_name="professionals")
    op.drop_index("ix_professionals_rating", table_name="professionals")
    op.drop_column("professionals", "rating")
    op.drop_column("professionals", "expiry_reminded_at")
    op.execute("DROP FUNCTION folded(text)")

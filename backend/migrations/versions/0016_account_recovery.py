"""Account recovery: undo links of changed emails, repeated passwords, issued passwords that expire."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PURPOSES = "purpose IN ('password_reset', 'email_confirmation', 'email_undo')"
PURPOSES_BEFORE = "purpose IN ('password_reset', 'email_confirmation')"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("email_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("password_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailed_links", sa.Column("email", sa.Text(), nullable=True))
    _replace_purposes(PURPOSES)
    _add_check("email_of_undo", "(purpose = 'email_undo') = (email IS NOT NULL)")
    op.create_index(
        "ix_mailed_links_undo",
        "mailed_links",
        ["email_key"],
        postgresql_where=sa.text("purpose = 'email_undo' AND used_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_mailed_links_undo", table_name="mailed_links")
    op.execute("DELETE FROM mailed_links WHERE purpose = 'email_undo'")
    op.execute("ALTER TABLE mailed_links DROP CONSTRAINT ck_mailed_links_email_of_undo")
    _replace_purposes(PURPOSES_BEFORE)
    op.drop_column("mailed_links", "email")
    op.drop_column("sessions", "proven_at")
    op.drop_column("accounts", "password_expires_at")
    op.drop_column("accounts", "email_changed_at")


def _replace_purposes(condition: str) -> None:
    op.execute("ALTER TABLE mailed_links DROP CONSTRAINT ck_mailed_links_purpose")
    _add_check("purpose", condition)


def _add_check(name: str, condition: str) -> None:
    """Add a CHECK in two steps: rows are checked under a lock that lets others write."""
    op.execute(f"ALTER TABLE mailed_links ADD CONSTRAINT ck_mailed_links_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE mailed_links VALIDATE CONSTRAINT ck_mailed_links_{name}")

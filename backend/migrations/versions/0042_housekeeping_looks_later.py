"""Shared links and photos say from when on housekeeping looks at them, so that it does not read those that stay.

Links that are there, and those that the version before makes meanwhile, are looked at once and get their time then.
Photos are looked at by their own time until their request's end is noted with them; no row is written here.
"""

from alembic import op

from backend.migrations.operations import create_index, drop_index

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None
phase = "expand"
NOT_REMOVED = "WHERE removed_at IS NULL"


def upgrade() -> None:
    # Without IF NOT EXISTS it could not be repeated: the columns are committed before the first index is made.
    op.execute("ALTER TABLE visit_links ADD COLUMN IF NOT EXISTS check_at timestamptz NOT NULL DEFAULT now()")
    op.execute("ALTER TABLE request_photos ADD COLUMN IF NOT EXISTS ended_after timestamptz")
    create_index("ix_visit_links_check", "visit_links", "(check_at)")
    create_index("ix_request_photos_ended", "request_photos", f"(coalesce(ended_after, created_at), id) {NOT_REMOVED}")
    drop_index("ix_request_photos_created")


def downgrade() -> None:
    create_index("ix_request_photos_created", "request_photos", f"(created_at, id) {NOT_REMOVED}")
    op.drop_column("request_photos", "ended_after")
    op.drop_column("visit_links", "check_at")

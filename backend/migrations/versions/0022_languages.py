"""Accounts have a language; notifications are worded when they are read, in the reader's language."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Only the texts that were stored can be shown by the earlier version; others get one that is right for all kinds.
WORDED = """
    UPDATE notifications
       SET title = coalesce('Update: ' || (params ->> 'task'), 'Update of your account'), body = ''
     WHERE title IS NULL
"""


def upgrade() -> None:
    op.add_column("accounts", sa.Column("language", sa.Text(), nullable=True))
    for name in ("title", "body"):
        op.alter_column("notifications", name, nullable=True)


def downgrade() -> None:
    op.execute(WORDED)
    for name in ("title", "body"):
        op.alter_column("notifications", name, nullable=False)
    op.drop_column("accounts", "language")

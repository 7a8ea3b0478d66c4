"""What a search sorts tasks by, worked out when a review comes and not at each search."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A task that nobody reviewed weighs as three reviews of four stars: one of five does not beat two hundred.
WEIGHTED = "CASE WHEN rating_count > 0 THEN round((12 + rating_sum)::numeric / (3 + rating_count), 2) END"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("weighted_rating", sa.Numeric(3, 2), sa.Computed(WEIGHTED, persisted=True)))
    # The counts ride in the index, so that a radius is added up without a look at each row.
    op.create_index("ix_task_homes_counts", "task_homes", ["pincode"], postgresql_include=["task_id", "professionals"])


def downgrade() -> None:
    op.drop_index("ix_task_homes_counts", table_name="task_homes")
    op.drop_column("tasks", "weighted_rating")

"""Checklists of tasks, their copies for accepted requests, and the point that a photo shows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "task_checklists",
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("points", JSONB(), nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("jsonb_array_length(points) BETWEEN 1 AND 20", name=op.f("ck_task_checklists_points")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_checklists_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_checklists")),
    )
    op.create_table(
        "request_checklist_points",
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("needs_photo", sa.Boolean(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("received_at", TIME, nullable=True),
        sa.CheckConstraint("number BETWEEN 1 AND 20", name=op.f("ck_request_checklist_points_number")),
        sa.CheckConstraint(
            "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (received_at IS NULL)",
            name=op.f("ck_request_checklist_points_done"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["task_requests.id"], name=op.f("fk_request_checklist_points_request_id")
        ),
        sa.ForeignKeyConstraint(["done_by"], ["accounts.id"], name=op.f("fk_request_checklist_points_done_by")),
        sa.PrimaryKeyConstraint("request_id", "number", name=op.f("pk_request_checklist_points")),
    )
    op.add_column("request_photos", sa.Column("point", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("request_photos", "point")
    op.drop_table("request_checklist_points")
    op.drop_table("task_checklists")

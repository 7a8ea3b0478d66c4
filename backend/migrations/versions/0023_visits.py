"""Requests have the steps of their visit, tasks a policy for the start code, and customers links to share a visit.

The constraints of requests are validated on their own, so that writes go on while the whole table is read. That part
comes first, and can be repeated after an interruption.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = {
    **dict.fromkeys(("on_the_way_at", "arrived_at", "started_at", "eta_at", "step_at"), "timestamptz"),
    "step_by": "bigint",
    "start_code_policy": "text",
    "code_tries": "bigint NOT NULL DEFAULT 0",
    "code_locked_until": "timestamptz",
}
POLICIES = "IN ('off', 'offered', 'required')"
CHECKS = {
    "ck_task_requests_visit_in_order": (
        "arrived_at >= on_the_way_at AND started_at >= arrived_at AND started_at >= on_the_way_at"
    ),
    "ck_task_requests_start_code_policy": f"start_code_policy {POLICIES}",
}


def upgrade() -> None:
    changes = [f"ADD COLUMN IF NOT EXISTS {name} {definition}" for name, definition in COLUMNS.items()]
    changes += [f"DROP CONSTRAINT IF EXISTS {name}" for name in CHECKS]
    changes += [f"ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID" for name, condition in CHECKS.items()]
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE task_requests {', '.join(changes)}")
        for name in CHECKS:
            op.execute(f"ALTER TABLE task_requests VALIDATE CONSTRAINT {name}")
    op.add_column("task_policies", sa.Column("start_code", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_task_policies_start_code"), "task_policies", f"start_code {POLICIES}")
    op.create_table(
        "visit_links",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_visit_links_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_visit_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_visit_links_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("visit_links")
    op.drop_column("task_policies", "start_code")
    op.execute(f"ALTER TABLE task_requests {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}")

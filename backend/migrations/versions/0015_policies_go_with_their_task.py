"""A task's policy goes with the task, so that one which nobody ever asked for can be deleted."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FOREIGN_KEY = "fk_task_policies_task_id"


def upgrade() -> None:
    _refer("ON DELETE CASCADE")


def downgrade() -> None:
    _refer("")


def _refer(on_delete: str) -> None:
    op.drop_constraint(FOREIGN_KEY, "task_policies")
    op.execute(f"""
        ALTER TABLE task_policies ADD CONSTRAINT {FOREIGN_KEY} FOREIGN KEY (task_id) REFERENCES tasks (id) {on_delete}
    """)

"""The dashboard and the daily reminders read what they look at from indexes alone."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WAITING = "created_at, task_id, pincode, asked_professional_id, asked_until"
INDEXES = (
    ("open", "date_of_request, id", WAITING, " WHERE status = 'requested'"),
    ("created", "created_at", "status, task_id, pincode", ""),
    ("closed", "closed_at, id", "task_id, price, currency", " WHERE status = 'closed'"),
)


def upgrade() -> None:
    for name, columns, counted, condition in INDEXES:
        _make_anew(name, f"({columns}) INCLUDE ({counted}){condition}")


def downgrade() -> None:
    for name, columns, _, condition in INDEXES:
        _make_anew(name, f"({columns}){condition}")


def _make_anew(name: str, of: str) -> None:
    op.execute(f"DROP INDEX ix_task_requests_{name}")
    op.execute(f"CREATE INDEX ix_task_requests_{name} ON task_requests {of}")

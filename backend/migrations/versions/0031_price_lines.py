"""Requests have price lines beside their agreed price.

The constraints of requests are validated on their own, so that writes go on while the whole table is read. That part
comes first, and can be repeated after an interruption.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
COLUMNS = {"lines_amount": "numeric(12, 2)", "undecided_lines": "bigint NOT NULL DEFAULT 0"}
CHECKS = {
    "ck_task_requests_undecided_lines": "undecided_lines = 0 OR undecided_lines > 0 AND status = 'accepted'",
    "ck_task_requests_total": "price + lines_amount >= 0",
}
# A line is decided once. What was approved is withdrawn when the acceptance to which it belongs ends.
GUARD = """
CREATE FUNCTION guard_price_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.id, OLD.request_id, OLD.professional_id, OLD.kind, OLD.title, OLD.quantity, OLD.unit_amount, OLD.amount,
            OLD.proposed_at) = (NEW.id, NEW.request_id, NEW.professional_id, NEW.kind, NEW.title, NEW.quantity,
            NEW.unit_amount, NEW.amount, NEW.proposed_at)
           AND OLD.reason IS NOT DISTINCT FROM NEW.reason
           AND (OLD.state = 'proposed' AND NEW.state <> 'proposed'
                OR OLD.state = 'approved' AND NEW.state = 'withdrawn'
                   AND (OLD.decided_at, OLD.decided_by, OLD.by_code) = (NEW.decided_at, NEW.decided_by, NEW.by_code))
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a price line is decided once, and never changed or deleted';
END $$
"""


def upgrade() -> None:
    changes = [f"ADD COLUMN IF NOT EXISTS {name} {definition}" for name, definition in COLUMNS.items()]
    changes += [f"DROP CONSTRAINT IF EXISTS {name}" for name in CHECKS]
    changes += [f"ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID" for name, condition in CHECKS.items()]
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE task_requests {', '.join(changes)}")
        for name in CHECKS:
            op.execute(f"ALTER TABLE task_requests VALIDATE CONSTRAINT {name}")
    op.create_table(
        "price_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(8, 3), nullable=False),
        sa.Column("unit_amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("by_code", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.CheckConstraint("kind IN ('extra', 'material', 'discount')", name=op.f("ck_price_lines_kind")),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'withdrawn')", name=op.f("ck_price_lines_state")
        ),
        sa.CheckConstraint(
            "quantity > 0 AND unit_amount > 0 AND amount <> 0"
            " AND amount = round(quantity * unit_amount, 2) * CASE kind WHEN 'discount' THEN -1 ELSE 1 END",
            name=op.f("ck_price_lines_amount"),
        ),
        sa.CheckConstraint(
            "CASE state WHEN 'proposed' THEN decided_at IS NULL AND withdrawn_at IS NULL"
            " WHEN 'withdrawn' THEN withdrawn_at IS NOT NULL"
            " ELSE decided_at IS NOT NULL AND withdrawn_at IS NULL END",
            name=op.f("ck_price_lines_decided"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_price_lines_{column}"))
            for column, other in (
                ("request_id", "task_requests"),
                ("professional_id", "accounts"),
                ("decided_by", "accounts"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_lines")),
    )
    op.create_index("ix_price_lines_request", "price_lines", ["request_id", "id"])
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER decided_once BEFORE UPDATE OR DELETE ON price_lines"
        " FOR EACH ROW EXECUTE FUNCTION guard_price_line()"
    )
    op.execute("CREATE TRIGGER decided_once_whole BEFORE TRUNCATE ON price_lines EXECUTE FUNCTION guard_price_line()")


def downgrade() -> None:
    op.drop_table("price_lines")
    op.execute("DROP FUNCTION guard_price_line()")
    op.execute(f"ALTER TABLE task_requests {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}")

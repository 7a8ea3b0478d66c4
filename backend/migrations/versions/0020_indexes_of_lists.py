"""Lists, retention and the inbox read a bounded number of rows however large the marketplace is.

The indexes are made concurrently, so that writes go on meanwhile. Each statement is a transaction of its own: an
attempt that was interrupted leaves an invalid index, which the next one drops first.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Name, table, and the definition in this version and in the previous one; None: no such index.
INDEXES = (
    ("ix_reviews_customer", "reviews", "(customer_id, created_at, request_id)", None),
    ("ix_reviews_task", "reviews", "(task_id, created_at, request_id)", "(task_id)"),
    ("ix_reviews_hidden", "reviews", "(created_at, request_id) WHERE hidden_at IS NOT NULL", None),
    (
        "ix_reviews_reported",
        "reviews",
        "(created_at, request_id) WHERE reported_at IS NOT NULL",
        "(reported_at) WHERE reported_at IS NOT NULL",
    ),
    (
        "ix_accounts_blocked",
        "accounts",
        "(role, created_at, id) WHERE blocked_at IS NOT NULL",
        "(role, blocked_at) WHERE blocked_at IS NOT NULL",
    ),
    ("ix_accounts_pincode", "accounts", "(pincode, role, created_at, id)", "(pincode, role)"),
    ("ix_deliveries_channel", "deliveries", "(channel, created_at, id) WHERE channel <> 'mail'", None),
    (
        "ix_deliveries_run",
        "deliveries",
        "(run_id, created_at, id) WHERE run_id IS NOT NULL",
        "(run_id, state) WHERE run_id IS NOT NULL",
    ),
    (
        "ix_professionals_unchecked",
        "professionals",
        "(account_id) WHERE approval IN ('pending', 'rejected', 'expired') AND holds_checked_at IS NULL",
        None,
    ),
    (
        "ix_professionals_merit",
        "professionals",
        "(((- (12 + rating_sum)) * 1000 / (3 + rating_count)), account_id)",
        None,
    ),
    ("ix_professional_areas_offers", "professional_areas", "USING gin (pincode, task_ids)", None),
    (
        "ix_task_requests_waiting_at",
        "task_requests",
        "(task_id, pincode, date_of_request) WHERE status = 'requested'",
        "(task_id, pincode) WHERE status = 'requested'",
    ),
    (
        "ix_task_requests_waiting",
        "task_requests",
        None,
        "(task_id, date_of_request) WHERE status = 'requested'",
    ),
    (
        "ix_task_requests_asked",
        "task_requests",
        "(asked_professional_id) WHERE status = 'requested' AND asked_professional_id IS NOT NULL",
        None,
    ),
    ("ix_tasks_category", "tasks", None, "(category)"),
    ("ix_places_district", "places", None, "(state, district)"),
    ("ix_job_runs_open", "job_runs", None, "(id) WHERE finished_at IS NULL"),
    ("ix_monthly_reports_month", "monthly_reports", None, "(month, customer_id)"),
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    _add_holds_checked_at()
    for name, table, now, _ in INDEXES:
        _make_anew(name, table, now)
    # How many do each task decides whether to read these or the best rated of all: the planner needs to know each task.
    op.execute("ALTER TABLE professional_tasks ALTER COLUMN task_id SET STATISTICS 1000")
    op.execute("ANALYZE professional_tasks")


def _add_holds_checked_at() -> None:
    """Everyone counts as checked, without a rewrite of the table, but those who hold requests without an approval."""
    op.execute("ALTER TABLE professionals ADD COLUMN IF NOT EXISTS holds_checked_at timestamptz DEFAULT now()")
    op.execute("ALTER TABLE professionals ALTER COLUMN holds_checked_at DROP DEFAULT")
    op.execute("""
        UPDATE professionals p SET holds_checked_at = NULL
         WHERE approval IN ('pending', 'rejected', 'expired')
           AND EXISTS (SELECT FROM task_requests r
                        WHERE r.professional_id = p.account_id AND r.status = 'accepted' AND r.date_of_request > now())
    """)


def downgrade() -> None:
    for name, table, _, before in INDEXES:
        _make_anew(name, table, before)
    op.execute("ALTER TABLE professional_tasks ALTER COLUMN task_id SET STATISTICS -1")
    op.drop_column("professionals", "holds_checked_at")
    op.execute("DROP EXTENSION btree_gin")


def _make_anew(name: str, table: str, definition: str | None) -> None:
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        if definition is not None:
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} {definition}")
        op.execute("SET lock_timeout = '10s'")

"""What an offer offers is never changed or deleted, and what ended stays so: a trigger refuses it."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
phase = "expand"

GUARD = """
CREATE OR REPLACE FUNCTION guard_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.id, OLD.request_id, OLD.professional_id, OLD.amount, OLD.valid_until, OLD.made_at)
           = (NEW.id, NEW.request_id, NEW.professional_id, NEW.amount, NEW.valid_until, NEW.made_at)
           AND OLD.note IS NOT DISTINCT FROM NEW.note
           AND (OLD.state IN ('live', NEW.state) OR OLD.state = 'accepted' AND NEW.state = 'ended')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'an offer ends once, and is never changed or deleted';
END $$
"""


def upgrade() -> None:
    op.execute(GUARD)
    op.execute(
        "CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE ON offers FOR EACH ROW EXECUTE FUNCTION guard_offer()"
    )
    op.execute("CREATE OR REPLACE TRIGGER kept_whole BEFORE TRUNCATE ON offers EXECUTE FUNCTION guard_offer()")


def downgrade() -> None:
    op.execute("DROP FUNCTION guard_offer() CASCADE")  # with its triggers

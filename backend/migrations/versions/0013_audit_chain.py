"""A chain of hashes over the audit trail: an entry that was changed or removed behind the application's back shows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DIGEST = """
CREATE FUNCTION audit_digest(entry audit_entries) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        entry.id, extract(epoch FROM entry.at), entry.actor_id, entry.actor_role, entry.action,
        entry.subject_id, entry.subject_kind, entry.address, entry.before, entry.after)::text, 'UTF8'))
$$
"""
# Deferred to the end of the transaction: the lock, which gives the seals their order, is then held for the commit
# alone and nothing else is waited for under it. The function runs with its owner's rights, for the application has
# none to write seals.
SEAL = """
CREATE FUNCTION seal_audit_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    last record;
    found_digest bytea := audit_digest(NEW);
BEGIN
    PERFORM pg_advisory_xact_lock(7310544203);
    SELECT position, hash INTO last FROM audit_seals ORDER BY position DESC LIMIT 1;
    INSERT INTO audit_seals (position, entry_id, digest, hash)
    VALUES (coalesce(last.position, 0) + 1, NEW.id, found_digest,
            sha256(coalesce(last.hash, ''::bytea) || found_digest));
    RETURN NULL;
END $$
"""
SEAL_WHAT_IS_THERE = """
DO $$
DECLARE
    entry audit_entries;
    found_digest bytea;
    head bytea := ''::bytea;
    place bigint := 0;
BEGIN
    FOR entry IN SELECT * FROM audit_entries ORDER BY id LOOP
        place := place + 1;
        found_digest := audit_digest(entry);
        head := sha256(head || found_digest);
        INSERT INTO audit_seals (position, entry_id, digest, hash) VALUES (place, entry.id, found_digest, head);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("removed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seals_entry_id")),
    )
    op.execute(DIGEST)
    op.execute(SEAL)
    op.execute(SEAL_WHAT_IS_THERE)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_seals"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON audit_seals EXECUTE FUNCTION refuse_change()")
    op.execute(
        "CREATE CONSTRAINT TRIGGER seal AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION seal_audit_entry()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER seal ON audit_entries")
    op.execute("DROP FUNCTION seal_audit_entry()")
    op.execute("DROP FUNCTION audit_digest(audit_entries)")
    op.drop_table("audit_seals")

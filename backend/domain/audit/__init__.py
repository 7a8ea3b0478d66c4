"""The audit trail: what was done to whom, by whom, append-only."""

"""CSV exports of closed requests."""

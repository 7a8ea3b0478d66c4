"""Technical ground: knows nothing of home services."""

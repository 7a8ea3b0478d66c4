"""Tasks: what the market offers."""

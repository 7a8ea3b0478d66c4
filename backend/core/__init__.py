"""Technical ground: knows nothing of what the market offers."""

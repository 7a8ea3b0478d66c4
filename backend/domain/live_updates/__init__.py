"""Live updates: whose open pages a change concerns."""

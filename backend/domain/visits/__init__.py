"""Visits: the steps at the door, the code that starts the work, and the link by which others follow it."""

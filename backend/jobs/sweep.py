"""Finds due jobs that nobody holds (lost by the broker, or their worker died) and rings for them again."""

from flask import current_app

from backend.core import queue
from backend.core.database import transaction


def sweep() -> int:
    """Ring for forgotten jobs; returns for how many."""
    with transaction():
        ids = queue.due_ids()
    if ids:
        current_app.extensions["job_bell"](ids)
    return len(ids)

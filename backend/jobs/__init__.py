"""Celery in: each job loads by id and calls one action."""

from backend.jobs.bell import bell

__all__ = ["bell"]

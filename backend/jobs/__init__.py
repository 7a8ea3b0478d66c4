"""Celery tasks: each loads a row by id and calls one action of the domain."""

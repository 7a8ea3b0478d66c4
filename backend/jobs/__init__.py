"""Celery entry points: each job loads a row by id and calls one action of the domain."""

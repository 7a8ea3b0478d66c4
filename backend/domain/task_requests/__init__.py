"""Requests: the life of one customer's order of one task."""

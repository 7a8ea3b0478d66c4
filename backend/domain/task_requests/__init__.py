"""Requests: a customer's order of one task, and its lifecycle."""

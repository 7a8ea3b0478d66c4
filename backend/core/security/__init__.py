"""Passwords, signatures, roles, and the networks that rate limits count by."""

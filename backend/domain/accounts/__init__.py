"""Accounts, sign-in, sessions, and emailed links."""

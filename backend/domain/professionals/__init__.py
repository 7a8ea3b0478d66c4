"""Professionals: approval, tasks they do, places they serve."""

"""Monthly activity reports."""

"""Moderation: blocking and unblocking accounts."""

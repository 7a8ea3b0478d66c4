"""Moderation: blocking and unblocking people."""

"""Conversations: what customer and professional write to each other about one request."""

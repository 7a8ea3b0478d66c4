"""Rows as they go on the wire: plain dicts, for calls that share them."""

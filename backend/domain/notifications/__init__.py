"""Notifications: written in the transaction of the change, sent afterwards."""

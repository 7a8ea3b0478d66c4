"""The admin's figures."""

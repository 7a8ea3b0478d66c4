"""People: accounts, sign-in, sessions, preferences."""

"""People: accounts, sign-in, sessions, links that are mailed."""

"""The market's own settings, kept in the database and changed by admins."""

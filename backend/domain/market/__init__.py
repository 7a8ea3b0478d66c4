"""The marketplace's settings, stored in the database and changed by admins."""

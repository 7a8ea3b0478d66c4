"""A believable market of a given size, the same each time, written by COPY."""

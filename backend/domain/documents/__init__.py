"""Documents: the private proof that a professional hands in."""

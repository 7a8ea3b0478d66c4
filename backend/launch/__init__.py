"""`make run`: own database and cache when no address is set, then all processes under one supervisor."""

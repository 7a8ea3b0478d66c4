"""`make run`: embedded database and cache unless their URLs are set, then all processes under one supervisor."""

"""The real product for tests that need all of it: servers, web processes, worker, beat, a mail server."""

"""Photos of requests: of the problem, before and after the work, and in messages; private, and kept for some time."""

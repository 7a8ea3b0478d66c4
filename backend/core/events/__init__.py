"""Live updates: what changed, for whom; announced after commit and sent to open streams by `backend.events`."""

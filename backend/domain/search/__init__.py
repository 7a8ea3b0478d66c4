"""Search: which tasks are offered where, by whom near, at which price, how well rated."""

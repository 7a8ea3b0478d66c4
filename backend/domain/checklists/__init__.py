"""Checklists: the points of a task, and those that a professional ticks during the visit of a request."""

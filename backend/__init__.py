"""Doorstep: the marketplace for help at home; its API, workers and command line."""

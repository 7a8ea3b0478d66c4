"""Doorstep: the home-services marketplace's API, workers and command line."""

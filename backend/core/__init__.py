"""Infrastructure that is independent of the marketplace's features."""

"""Figures of the product, each beside its baseline from the same run."""

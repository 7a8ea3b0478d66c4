"""Favourites of customers, and exclusions: pairs of users who are never matched again."""

"""Offers of professionals for requests whose price is agreed by offer."""

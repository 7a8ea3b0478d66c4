"""Marshmallow schemas, named as the resources that use them."""

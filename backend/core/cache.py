"""The cache: fails open, never blocks for long."""

from flask import Flask

from backend.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the cache to the application."""
    app.extensions["cache_url"] = settings.cache_url

"""The cache: final bytes, versioned keys, one computation at a time; it fails open and never blocks for long."""

from typing import cast

from flask import Flask, current_app

from backend.core.cache.answers import Answer, Answers, Made, digest
from backend.core.cache.valkey import shared_store
from backend.core.cache.versions import CATALOGUE, CacheVersion, Versions
from backend.settings import Settings

__all__ = ["CATALOGUE", "Answer", "Answers", "CacheVersion", "Made", "answers", "digest", "init_app"]


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the cache to the application."""
    store = shared_store(app, settings)
    versions = Versions(settings.database_url)
    app.extensions["answers"] = Answers(store=store, versions=versions, seconds=settings.cache_seconds)


def answers() -> Answers:
    """The cache of the present application."""
    return cast("Answers", current_app.extensions["answers"])

"""The cache: final bytes, versioned keys, one computation at a time; it fails open and never blocks for long."""

from typing import cast

from flask import Flask, current_app

from backend.core.cache.responses import Answer, Answers, Made, digest
from backend.core.cache.valkey import ValkeyBytes, shared_store
from backend.core.cache.versions import CATALOGUE, CacheVersion, Versions
from backend.settings import Settings

__all__ = ["CATALOGUE", "Answer", "Answers", "CacheVersion", "Made", "answers", "digest", "init_app", "shared"]


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the cache to the application."""
    store = shared_store(app, settings)
    versions = Versions(settings.database_url)
    app.extensions["shared_cache"] = store
    app.extensions["answers"] = Answers(store=store, versions=versions, seconds=settings.cache_seconds)


def answers() -> Answers:
    """The cache of the present application."""
    return cast("Answers", current_app.extensions["answers"])


def shared() -> ValkeyBytes | None:
    """The store that all processes share, for claims on a name; None where no server is set."""
    return cast("ValkeyBytes | None", current_app.extensions["shared_cache"])

"""The cache: final bytes, versioned keys, one computation at a time; it fails open and never blocks for long."""

from typing import cast

from flask import Flask, current_app

from backend.core.cache.responses import CachedResponse, Rendered, ResponseCache, digest
from backend.core.cache.valkey import ValkeyBytes, shared_store
from backend.core.cache.versions import CATALOGUE, CacheVersion, Versions
from backend.settings import Settings

__all__ = [
    "CATALOGUE",
    "CacheVersion",
    "CachedResponse",
    "Rendered",
    "ResponseCache",
    "digest",
    "init_app",
    "response_cache",
    "shared",
]


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the cache to the application."""
    store = shared_store(app, settings)
    versions = Versions(settings.database_url)
    app.extensions["shared_cache"] = store
    app.extensions["answers"] = ResponseCache(store=store, versions=versions, seconds=settings.cache_seconds)


def response_cache() -> ResponseCache:
    """The cache of the present application."""
    return cast("ResponseCache", current_app.extensions["answers"])


def shared() -> ValkeyBytes | None:
    """The store that all processes share, for claims on a name; None where no server is set."""
    return cast("ValkeyBytes | None", current_app.extensions["shared_cache"])

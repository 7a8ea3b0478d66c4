"""The cache: final bytes, versioned keys, single flight; it fails open and never blocks for long."""

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
    """Register the cache with the application."""
    store = shared_store(app, settings)
    versions = Versions(settings.database_url)
    app.extensions["shared_cache"] = store
    app.extensions["response_cache"] = ResponseCache(store=store, versions=versions, seconds=settings.cache_seconds)


def response_cache() -> ResponseCache:
    """Return the cache of the current application."""
    return cast("ResponseCache", current_app.extensions["response_cache"])


def shared() -> ValkeyBytes | None:
    """Return the store shared by all processes, for claims on a name; None without a server."""
    return cast("ValkeyBytes | None", current_app.extensions["shared_cache"])

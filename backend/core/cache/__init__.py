"""The cache: final bytes, versioned keys, single flight; it fails open and never blocks for long."""

from typing import cast

from flask import Flask, current_app

from backend.core.cache.responses import Rendered, ResponseCache
from backend.core.cache.valkey import CachedResponse, ValkeyStore, digest, entity_tag, shared_store
from backend.core.cache.versions import CATALOGUE, Versions
from backend.core.db.session import connect_arguments
from backend.settings import Settings

__all__ = [
    "CATALOGUE",
    "CachedResponse",
    "Rendered",
    "ResponseCache",
    "ValkeyStore",
    "digest",
    "entity_tag",
    "init_app",
    "response_cache",
    "shared",
]


def init_app(app: Flask, settings: Settings) -> None:
    """Register the cache with the application."""
    store = app.extensions["shared_cache"] = shared_store(app, settings)
    conninfo = connect_arguments(settings)["conninfo"]
    versions = Versions(conninfo, is_pooled=settings.database_pooled, prepares=settings.db_prepare)
    cache = ResponseCache(store=store, versions=versions, seconds=settings.cache_seconds)
    app.extensions["response_cache"] = cache


def response_cache() -> ResponseCache:
    """Return the cache of the current application."""
    return cast("ResponseCache", current_app.extensions["response_cache"])


def shared() -> ValkeyStore:
    """Return the store shared by all processes."""
    return cast("ValkeyStore", current_app.extensions["shared_cache"])

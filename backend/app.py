"""create_app(): the only file that knows every layer."""

from flask import Flask

from backend import cli
from backend.api import (
    access_log,
    auth,
    converters,
    errors,
    event_relay,
    middleware,
    public_pages,
    rate_limits,
    response_cache,
    routes,
    sitemaps,
    web_app,
)
from backend.application import create_application
from backend.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application with the API and the commands (default settings: those of the environment)."""
    settings = settings or Settings.from_env()
    app = create_application(settings)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.merge_slashes = False  # a redirect of "//x" would repeat the host that the caller sent
    for part in (middleware, auth, rate_limits, event_relay):
        part.init_app(app, settings)
    errors.init_app(app)
    converters.init_app(app)
    routes.init_app(app)
    for pages in (web_app, public_pages, sitemaps):
        pages.init_app(app)
    response_cache.init_app(app)
    middleware.guard(app, settings)
    event_relay.guard(app, settings)
    access_log.guard(app, settings)
    cli.init_app(app)
    return app


def create_owner_app() -> Flask:
    """Create the application for commands that change tables, connected as the owner of the tables."""
    from backend.migrations import setup as migrations

    app = create_app(Settings.with_owner().as_owner())
    migrations.init_app(app)
    return app

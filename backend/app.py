"""create_app(): the only file that knows every layer."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
from backend.core import cache, mail, queue, storage
from backend.core.db import read_pool, replica, session
from backend.core.events import announce
from backend.core.events.publisher import Publisher
from backend.core.observability import health, logging
from backend.core.queue import schedule as queue_schedule
from backend.core.security import password_hashing
from backend.domain.documents import inspection
from backend.domain.profiles import photos
from backend.jobs import schedule
from backend.jobs.dispatch import job_dispatcher
from backend.migrations import revisions_too_old
from backend.settings import Settings

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Application(Flask):
    """Flask for functions that are not coroutines, of which this project has none."""

    def ensure_sync(self, func: Callable[Given, Result]) -> Callable[Given, Result]:
        """Return the function itself: Flask inspects each hook of each call, which takes longer than most hooks."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application for these settings (default: those of the environment)."""
    settings = settings or Settings.from_env()
    logging.configure(settings)
    app = Application(__name__, static_folder=None)
    app.extensions["settings"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["TESTING"] = settings.env == "test"
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.merge_slashes = False  # a redirect of "//x" would repeat the host that the caller sent
    for part in (session, read_pool, replica, cache, password_hashing, storage, mail, health, inspection, photos):
        part.init_app(app, settings)
    app.extensions["older_revisions"] = revisions_too_old()
    queue.init_app(app, dispatcher=job_dispatcher(settings))
    queue_schedule.init_app(app, schedule.TABLE)
    publisher = Publisher(settings)
    announce.init_app(app, publisher=publisher, prepare=publisher.begin)
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

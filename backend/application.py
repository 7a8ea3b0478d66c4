"""create_application(): the application without the API, as job processes need it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask

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


def create_application(settings: Settings) -> Flask:
    """Create the application for these settings. It serves no calls: its modules take memory in each process."""
    logging.configure(settings)
    app = Application(__name__, static_folder=None)
    app.extensions["settings"] = settings
    app.config["TESTING"] = settings.env == "test"
    for part in (session, read_pool, replica, cache, password_hashing, storage, mail, health, inspection, photos):
        part.init_app(app, settings)
    app.extensions["older_revisions"] = revisions_too_old()
    queue.init_app(app, dispatcher=job_dispatcher(settings))
    queue_schedule.init_app(app, schedule.TABLE)
    publisher = Publisher(settings)
    announce.init_app(app, publisher=publisher, prepare=publisher.begin)
    return app

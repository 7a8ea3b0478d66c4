"""A market on a database server of a test's own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.users import Users
from tests.scale.lab import Lab
from tests.scale.load import Load


@contextmanager
def loads(lab: Lab, settings: Mapping[str, str], **changes: str) -> Iterator[Callable[[], Load]]:
    """Prepare the database of the settings, start a web server on it, and return what makes a load for it."""
    one = lab.machine("one", **settings, DB_READ_POOL_SIZE="8", **changes)
    one.changes["PUBLIC_URL"] = one.url
    one.run("backend.launch.prepare")
    one.start("web")
    with on_database(one.environ) as users:
        market = RequestMarket(users)
        market.professional()
        customers = [market.users.customer() for _ in range(3)]
        yield lambda: Load(one.url, customers, market.task_id)


@contextmanager
def on_database(environ: Mapping[str, str]) -> Iterator[Users]:
    """Enter an application on the database of the settings, and close its connections afterwards."""
    app = create_app(Settings.from_env(environ))
    with app.app_context():
        try:
            yield Users(app)
        finally:
            db.session.remove()
            db.engine.dispose()

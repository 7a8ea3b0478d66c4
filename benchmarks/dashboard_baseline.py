"""The dashboard's figures as one would cache them with Flask-Caching's own decorator: the baseline."""

from flask import Flask, Response
from flask_caching import Cache

from backend.api.resources.dashboard import FRESH_SECONDS
from backend.api.responses import JSON, to_json
from backend.core.db import session
from backend.domain.dashboard import queries
from backend.settings import Settings


def make() -> Flask:
    """The same queries behind @cached, with the same expiry."""
    settings = Settings.from_env()
    plain = Flask(__name__)
    plain.extensions["settings"] = settings
    session.init_app(plain, settings)
    options = {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": settings.cache_url, "CACHE_KEY_PREFIX": "baseline:"}
    cache = Cache(plain, config=options)

    @plain.get("/stats")
    @cache.cached(timeout=FRESH_SECONDS)
    def stats() -> Response:
        return Response(to_json(queries.statistics()), mimetype=JSON)

    return plain


app = make()

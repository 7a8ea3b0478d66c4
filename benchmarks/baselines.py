"""The bare applications beside which the product is measured; served by the same server with as many workers."""

import os
import pickle
from collections import deque
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from flask import Flask, Response, request
from flask_restful import Api
from psycopg.rows import dict_row

from backend.api.endpoint import Resource

FOLDER: Final = Path(os.environ.get("BENCH_BASELINE", "."))


class Constant(Resource):  # type: ignore[misc]  # Flask-RESTful is untyped
    """A Flask-RESTful resource that returns constant bytes."""

    body = (FOLDER / "body").read_bytes() if (FOLDER / "body").exists() else b"{}"

    def get(self) -> Response:
        """The same each time."""
        return Response(self.body, mimetype="application/json")


class Replay:
    """A route that runs the statements which the product ran for the same address, and dumps their rows."""

    def __init__(self) -> None:
        path = FOLDER / "statements"
        # Written by the benchmark itself just before, into a folder of its own.
        self._statements: dict[str, list[tuple[str, Any]]] = pickle.loads(path.read_bytes()) if path.exists() else {}  # noqa: S301
        self._free: deque[psycopg.Connection[dict[str, Any]]] = deque()

    def __call__(self, name: str) -> Response:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        statements = self._statements[f"/{name}?{request.query_string.decode()}"]
        rows = [connection.execute(sql, values, prepare=True).fetchall() for sql, values in statements]
        self._free.append(connection)
        return Response(orjson.dumps({"items": rows}, default=str), mimetype="application/json")

    def _connect(self) -> "psycopg.Connection[dict[str, Any]]":
        url = os.environ["DATABASE_URL"]
        options = "-c jit=off -c timezone=UTC -c pg_trgm.word_similarity_threshold=0.35"
        return psycopg.connect(url, autocommit=True, options=options, row_factory=dict_row)


app = Flask(__name__, static_folder=None)
Api(app).add_resource(Constant, "/constant")
app.add_url_rule("/<string:name>", "replay", Replay())

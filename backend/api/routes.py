"""THE URL TABLE: path -> Resource."""

from typing import Final

from flask import Flask
from flask_restful import Resource

from backend.api.errors import ProblemApi
from backend.api.resources import accounts, sessions

ROUTES: Final[tuple[tuple[str, type[Resource]], ...]] = (
    ("/add_customer", accounts.AddCustomer),
    ("/check", sessions.Check),
    ("/token/refresh", sessions.Refresh),
    ("/logout", sessions.Logout),
)


def init_app(app: Flask) -> None:
    api = ProblemApi(app)
    for path, resource in ROUTES:
        api.add_resource(resource, path, endpoint=f"{resource.__module__.rsplit('.', 1)[-1]}.{resource.__name__}")

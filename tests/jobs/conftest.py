"""Jobs run in the test's process against real mail servers and webhooks, with the test's own settings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import pytest
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.servers import SmtpServer, WebServer

Another = Callable[..., Flask]
# The longest that a setting allows: a busy machine is slow, not wrong. Tests of servers that hang set less.
PATIENT: Final = {"mail_timeout_seconds": 120, "outbound_timeout_seconds": 120}


@pytest.fixture
def another(app: Flask, settings: Settings) -> Iterator[Another]:
    """Return a factory that enters an application with other settings on the same database."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Flask:
            made = create_app(replace(settings, **{**PATIENT, **changes}))
            stack.enter_context(made.app_context())
            stack.callback(_leave, made)
            return made

        yield make


def _leave(made: Flask) -> None:
    made.extensions["mailer"].close()
    db.session.remove()
    db.engine.dispose()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def mailing(another: Another, smtp: SmtpServer) -> Flask:
    """Return an application with a mail server."""
    return another(mail_server="127.0.0.1", mail_port=smtp.port)

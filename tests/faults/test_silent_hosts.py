"""Hosts that vanish without closing a connection: database, Valkey and mail server behind a proxy that falls silent."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from backend.app import create_app
from backend.core import mail
from backend.core.db import session, silence
from backend.core.db.session import db
from backend.core.errors import RetryLater
from backend.settings import Settings
from tests.factories.problems import assert_problem
from tests.factories.requests import RequestMarket
from tests.factories.servers import SmtpServer
from tests.factories.silent_proxy import SilentProxy
from tests.factories.users import User, Users
from tests.waiting import HANG_SECONDS, wait_until

LONGEST_SECONDS = 12.0  # of any response


@pytest.fixture
def proxies() -> Iterator[Callable[[str], SilentProxy]]:
    """Return a maker of proxies in front of the server of a URL."""
    with ExitStack() as made:

        def make(url: str) -> SilentProxy:
            proxy = SilentProxy(urlsplit(url).port or 0)
            made.callback(proxy.close)
            return proxy

        yield make


def through(url: str, proxy: SilentProxy) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{proxy.port}/")


@contextmanager
def running(environ: dict[str, str], **changes: str) -> Iterator[Flask]:
    """Return an application whose limits are those of production."""
    limits = ("DB_STATEMENT_TIMEOUT_MS", "DB_LOCK_TIMEOUT_MS", "DB_POOL_TIMEOUT_SECONDS", "DB_SILENT_SECONDS")
    normal = dict.fromkeys(limits, "")
    made = create_app(Settings.from_env({**environ, **normal, **changes}))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
        made.extensions["reads"]._pool.clear()


@pytest.fixture
def database(proxies: Callable[[str], SilentProxy], environ: dict[str, str]) -> SilentProxy:
    return proxies(environ["DATABASE_URL"])


@pytest.fixture
def behind(app: Flask, database: SilentProxy, environ: dict[str, str]) -> Iterator[Flask]:
    """Return the application with its database behind the proxy."""
    with running(environ, DATABASE_URL=through(environ["DATABASE_URL"], database)) as made:
        yield made


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    answer = call()
    return time.monotonic() - began, answer


def edit(app: Flask, user: User, **headers: str) -> Any:
    body = {"address": "14 MG Road"}
    return app.test_client().patch("/me", json=body, headers={**user.headers, **headers})


def test_calls_while_database_host_is_silent_are_refused_in_time_and_then_recover(
    behind: Flask, database: SilentProxy, users: Users
) -> None:
    asha = users.customer()

    def read() -> Any:
        return behind.test_client().get("/me", headers=asha.headers)

    assert read().status_code == edit(behind, asha).status_code == 200  # both pools have a connection
    database.silence()
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(timed, call) for call in (read, lambda: edit(behind, asha)) for _ in range(4)]
        first = [call.result() for call in calls]
    later = timed(read)
    print("seconds:", sorted(round(seconds, 1) for seconds, _ in [*first, later]))
    for seconds, answer in [*first, later]:
        assert_problem(answer, 503)
        assert seconds < LONGEST_SECONDS
    database.resume()
    assert wait_until(lambda: read().status_code == 200)
    assert edit(behind, asha).status_code == 200


def test_commit_without_response_is_unknown_and_its_repetition_returns_what_happened(
    behind: Flask, database: SilentProxy, users: Users
) -> None:
    market, asha = RequestMarket(users), users.customer()
    body, headers = market.body(), {**asha.headers, "Idempotency-Key": "one-request"}

    def create() -> Any:
        return behind.test_client().post("/requests", json=body, headers=headers)

    database.silence_on_answer = lambda piece: b"COMMIT\x00" in piece
    seconds, answer = timed(create)
    print("seconds:", round(seconds, 1))
    assert "same Idempotency-Key" in assert_problem(answer, 503, "outcome_unknown")["detail"]
    assert seconds < LONGEST_SECONDS
    made = db.session.execute(text("SELECT id FROM task_requests")).scalar_one()
    database.resume()
    repeated = create()
    assert (repeated.status_code, repeated.json["id"]) == (201, made)
    assert db.session.execute(text("SELECT count(*) FROM task_requests")).scalar_one() == 1


def test_forked_process_notices_silent_host(behind: Flask, database: SilentProxy) -> None:
    """Threads do not survive a fork: the child starts one of its own, also if its parent had one."""
    conninfo = session.connect_arguments(behind.extensions["settings"])["conninfo"]
    watched = silence.WatchedConnection.with_limit(0.5)
    with watched.connect(conninfo) as connection:
        connection.execute("SELECT 1")
    is_connected, connected = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(HANG_SECONDS)
        try:
            with watched.connect(conninfo, autocommit=True) as connection:
                os.write(connected, b"1")
                while True:
                    connection.execute("SELECT 1")
        except silence.HostSilent:
            os._exit(7)
        finally:
            os._exit(1)
    os.read(is_connected, 1)
    database.silence()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_slow_statement_on_answering_host_is_not_ended(behind: Flask) -> None:
    with behind.app_context(), db.engine.connect() as connection:
        slow = text("SELECT pg_sleep(2 * :limit) IS NOT NULL")
        assert connection.execute(slow, {"limit": behind.extensions["settings"].db_silent_seconds - 0.5}).scalar_one()


def test_connections_opened_before_a_silence_are_replaced(behind: Flask, database: SilentProxy, users: Users) -> None:
    """Otherwise each of them would wait in turn."""
    asha = users.customer()
    with behind.app_context():
        held = [db.engine.connect() for _ in range(3)]
        for connection in held:
            connection.close()
        database.silence()
        with pytest.raises(OperationalError):
            db.session.execute(text("SELECT 1"))
        db.session.remove()
        database.resume()
    seconds, answer = timed(lambda: edit(behind, asha))
    assert answer.status_code == 200
    assert seconds < silence.PROBE_SECONDS + LONGEST_SECONDS / 2


def test_second_host_is_used_while_first_is_silent(
    app: Flask, proxies: Callable[[str], SilentProxy], environ: dict[str, str], users: Users
) -> None:
    asha, url = users.customer(), environ["DATABASE_URL"]
    first, second = proxies(url), proxies(url)
    both = url.replace(f"127.0.0.1:{urlsplit(url).port}", f"127.0.0.1:{first.port},127.0.0.1:{second.port}")
    with running(environ, DATABASE_URL=both) as made:
        assert edit(made, asha).status_code == 200
        first.silence()
        seconds, answer = timed(lambda: edit(made, asha))
        assert seconds < LONGEST_SECONDS, answer
        assert edit(made, asha).status_code == 200
        with made.app_context():
            used: Any = db.session.connection().connection.driver_connection
            assert used.info.port == second.port
    with psycopg.connect(Settings.from_env({**environ, "DATABASE_URL": both}).database_url) as plain:
        assert plain.info.port == second.port  # as prepare, backup and doctor connect


def test_calls_while_valkey_host_is_silent_are_answered_in_time(
    app: Flask, proxies: Callable[[str], SilentProxy], environ: dict[str, str], users: Users
) -> None:
    asha, valkey = users.customer(), proxies(environ["REDIS_URL"])
    with running(environ, REDIS_URL=through(environ["REDIS_URL"], valkey)) as made:
        client = made.test_client()
        calls = (lambda: edit(made, asha), lambda: client.get("/tasks", headers=asha.headers))
        assert {call().status_code for call in calls} == {200}
        valkey.silence()
        for seconds, answer in [timed(call) for call in calls]:
            assert answer.status_code == 200
            assert seconds < LONGEST_SECONDS


def test_mail_to_silent_host_is_postponed_in_time(
    app: Flask, smtp: SmtpServer, proxies: Callable[[str], SilentProxy], environ: dict[str, str]
) -> None:
    server = proxies(f"smtp://127.0.0.1:{smtp.port}/")
    letter = mail.Email("asha@example.com", "Hello", "Text", "<p>Text</p>", "<one@example.com>")
    with running(environ, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port)) as made, made.app_context():
        mail.send(letter)
        server.silence()
        for _ in range(2):  # on the connection that was kept, then on a new one
            began = time.monotonic()
            with pytest.raises(RetryLater):
                mail.send(letter)
            assert time.monotonic() - began < LONGEST_SECONDS

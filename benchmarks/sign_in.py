"""Sign-ins beside a bare loop of hashes, and browsing beside a flood of sign-ins."""

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Final

from flask import Flask

from backend.core.db.session import transaction
from backend.core.security.authz import Role
from backend.core.security.password_hashing import BoundedPasswordHasher
from backend.domain.accounts.actions import NewAccount, sign_up
from backend.domain.accounts.models import Account
from backend.settings import Settings
from benchmarks import load, servers
from benchmarks.figures import Figure
from benchmarks.search import stand

SECONDS: Final = 4.0
ACCOUNTS: Final = 64
PASSWORD: Final = "correct horse battery 9"
COST: Final = {"memory_kib": 19456, "time_cost": 2, "parallelism": 1}
SETTINGS: Final = {"ARGON2_MEMORY_KIB": "19456", "ARGON2_TIME_COST": "2", "WEB_THREADS": str(Settings().web_threads)}
BROWSING: Final = "/search?pincode=560001"
FLOOD_CONNECTIONS: Final = 16


def measure() -> Iterator[Figure]:
    """On the small market: accounts are few, hashing is what costs."""
    with stand("small", **SETTINGS) as ready:
        sign_ins = [_post("/check", body) for body in _people(ready.app)]
        with servers.web("backend.wsgi:app", ready.env) as port:
            yield _beside_hashes(port, sign_ins)
            yield _beside_browsing(port, sign_ins)


def _beside_hashes(port: int, sign_ins: Sequence[bytes]) -> Figure:
    figure, baseline, ratio = load.side_by_side(
        lambda: load.run(port, sign_ins, seconds=SECONDS).rate, _hashes_a_second, rounds=3
    )
    note = f"{servers.WORKERS} processes hash one at a time each; median {1000 * servers.WORKERS / baseline:.0f} ms"
    return Figure("sign-ins", figure, baseline, ratio, 0.9, note=note)


def _beside_browsing(port: int, sign_ins: Sequence[bytes]) -> Figure:
    """The slowest hundredth of browsing while as many sign in as can, beside browsing alone."""

    def browse() -> float:
        return 1000 * load.run(port, [load.get(BROWSING)], seconds=SECONDS, connections=4).quantile(0.99)

    floods: list[load.Load] = []

    def flooded() -> float:
        flood = partial(load.run, port, sign_ins, connections=FLOOD_CONNECTIONS, may_refuse=True)
        with ThreadPoolExecutor(1) as aside:
            running = aside.submit(flood, seconds=SECONDS + 0.5)
            slowest = browse()
        floods.append(running.result())
        return slowest

    figure, baseline, ratio = load.side_by_side(flooded, browse, rounds=3)
    done, refused = sum(flood.answers for flood in floods), sum(flood.refused for flood in floods)
    note = f"{done} signed in meanwhile, {refused} were told to come again"
    return Figure("browsing beside a sign-in flood, p99", figure, baseline, ratio, 1.5, "ms", at_most=True, note=note)


def _hashes_a_second() -> float:
    """In sessions of their own, as the product's: on a busy machine Linux shares the processors out by session."""
    with multiprocessing.get_context("spawn").Pool(servers.WORKERS, initializer=os.setsid) as pool:
        return sum(pool.map(_hash, range(servers.WORKERS)))


def _hash(_: int) -> float:
    passwords = BoundedPasswordHasher(**COST)
    encoded = passwords.hash(PASSWORD)
    began, done = perf_counter(), 0
    while perf_counter() - began < SECONDS:
        passwords.matches(encoded, PASSWORD)
        done += 1
    return done / (perf_counter() - began)


def _people(app: Flask) -> list[dict[str, str]]:
    """Accounts to sign in with, made unless an earlier run made them."""
    from sqlalchemy import select

    from backend.core.db.session import db

    names = [f"signs.in.{number}" for number in range(ACCOUNTS)]
    with app.app_context(), transaction():
        there = set(db.session.execute(select(Account.username).where(Account.username.in_(names))).scalars())
        for name in set(names) - there:
            sign_up(
                NewAccount(name, f"{name}@example.org", PASSWORD, "Signs", "In", "12 MG Road", "560001"),
                role=Role.CUSTOMER,
            )
    return [{"username": name, "password": PASSWORD, "client": "api"} for name in names]


def _post(path: str, body: dict[str, str]) -> bytes:
    data = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data

"""Search and task list: cached, not modified, not cached; beside a bare resource, or a bare route with the same SQL."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import quote

from flask import Flask

from backend.app import create_app
from backend.settings import Settings
from benchmarks import capture, load, servers
from benchmarks.figures import Figure

SECONDS: Final = 2.0
PLACES: Final = ("560001", "560038", "400001", "110001", "600001", "500001", "411001", "700001", "302001", "226001")
WORDS: Final = ("plumer", "sofa cleaning", "ac repair", "elektrical", "bed bug", "wardrobe repair", "geyser", "massage")
KINDS: Final = {
    "by place": "/search?pincode={place}&limit={limit}&max_price={price}",
    "by words at a place": "/search?q={word}&pincode={place}&limit={limit}&max_price={price}",
    "within 25 km": "/search?pincode={place}&radius_km=25&limit={limit}&max_price={price}",
}
DIFFERENT: Final = 1_500  # more than are asked for before the first is forgotten


@dataclass(frozen=True, slots=True)
class Stand:
    """A database with the product's settings and a folder for the baseline."""

    app: Flask
    env: dict[str, str]
    folder: Path


@contextmanager
def stand(scale: str, **changes: str) -> Iterator[Stand]:
    """Everything that is needed to measure on a scale."""
    with servers.postgres(scale) as url, servers.valkey(scale) as cache, tempfile.TemporaryDirectory() as folder:
        env = servers.environment(url, cache, Path(folder)) | changes
        env["BENCH_BASELINE"] = folder
        yield Stand(create_app(Settings.from_env(env)), env, Path(folder))


def addresses(kind: str, *, number: int = DIFFERENT) -> list[str]:
    """Different searches of a kind, the same each time."""
    dice = Random(kind)
    return [
        KINDS[kind].format(
            place=dice.choice(PLACES),
            word=quote(dice.choice(WORDS)),
            limit=20,
            price=f"{dice.randrange(2000, 900000)}.00",
        )
        for _ in range(number)
    ]


def cached() -> Iterator[Figure]:
    """The same page again and again."""
    with stand("large") as ready:
        for name, path in (("search", "/search?pincode=560001"), ("task list", "/tasks")):
            body = ready.app.test_client().get(path).get_data()
            capture.keep(ready.folder, {}, body=body)
            with (
                servers.web("backend.wsgi:app", ready.env) as ours,
                servers.web("benchmarks.baselines:app", ready.env) as bare,
            ):
                tag = _tag(load.once(ours, load.get(path))[0])
                note = f"{len(body):,} bytes"
                yield _beside(
                    f"{name}, cached", 0.9, note, (ours, [load.get(path)], 200), (bare, [load.get("/constant")])
                )
                again = [load.get(path, If_None_Match=tag)]
                yield _beside(f"{name}, not modified", 1.2, note, (ours, again, 304), (bare, [load.get("/constant")]))


def uncached(scale: str = "large") -> Iterator[Figure]:
    """Searches that nobody made before: the cache is looked into, and holds nothing."""
    for kind in KINDS:
        with stand(scale, CACHE_SECONDS="1") as ready:
            paths = addresses(kind)
            found = capture.statements(ready.app, paths)
            capture.keep(ready.folder, found)
            queries = max(len(statements) for statements in found.values())
            with (
                servers.web("backend.wsgi:app", ready.env) as ours,
                servers.web("benchmarks.baselines:app", ready.env) as bare,
            ):
                note = f"{queries} queries and the cache's version"
                calls = [load.get(path) for path in paths]
                yield _beside(f"search {kind}, not cached, {scale}", 0.8, note, (ours, calls, 200), (bare, calls))


def _beside(
    work: str, goal: float, note: str, ours: tuple[int, list[bytes], int], theirs: tuple[int, list[bytes]]
) -> Figure:
    port, calls, status = ours
    load.run(port, calls, seconds=SECONDS, status=status)
    load.run(theirs[0], theirs[1], seconds=SECONDS / 2)
    figure, baseline, ratio = load.side_by_side(
        lambda: load.run(port, calls, seconds=SECONDS, status=status).rate,
        lambda: load.run(theirs[0], theirs[1], seconds=SECONDS).rate,
    )
    return Figure(work, figure, baseline, ratio, goal, note=note)


def _tag(head: bytes) -> str:
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "etag":
            return value.strip()
    raise RuntimeError("an answer without an ETag")

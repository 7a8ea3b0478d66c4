"""Versions of cached data: which reads threads share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

import pytest

from backend.core.cache.versions import Versions
from tests.harness.market import wait_for
from tests.waiting import HANG_SECONDS

THREADS = 8
Result = SimpleQueue[str | None]


class Callers(dict[str, Result]):
    """Counts the callers that have started a read or joined one."""

    number = 0

    def setdefault(self, name: str, mine: Result) -> Result:
        found = super().setdefault(name, mine)
        self.number += 1
        return found


@pytest.fixture
def versions() -> Versions:
    return Versions("postgresql://127.0.0.1:1/none")


def test_threads_that_wait_for_a_read_share_the_next_one(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    callers, may_end, reads = Callers(), Event(), []

    def query(_: Versions, name: str) -> str:
        reads.append(name)
        assert may_end.wait(HANG_SECONDS)
        return str(len(reads))

    monkeypatch.setattr(Versions, "_query", query)
    monkeypatch.setattr(versions, "_coming", callers)
    with ThreadPoolExecutor(THREADS + 1) as pool:
        first = pool.submit(versions.read, "catalogue")
        wait_for(lambda: reads)
        later = [pool.submit(versions.read, "catalogue") for _ in range(THREADS)]
        wait_for(lambda: callers.number == THREADS + 1)
        may_end.set()
        assert first.result() == "1"
        assert {each.result() for each in later} == {"2"}, "a read that started before they asked may be outdated"


def test_failed_read_releases_all_threads_that_wait(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    callers, may_end = Callers(), Event()

    def query(_: Versions, name: str) -> str:
        assert may_end.wait(HANG_SECONDS)
        raise ZeroDivisionError(name)

    monkeypatch.setattr(Versions, "_query", query)
    monkeypatch.setattr(versions, "_coming", callers)

    def outcome(read: Callable[[str], str | None]) -> str:
        try:
            return str(read("catalogue"))
        except ZeroDivisionError:
            return "failed"

    with ThreadPoolExecutor(THREADS) as pool:
        results = [pool.submit(outcome, versions.read) for _ in range(THREADS)]
        wait_for(lambda: callers.number == THREADS)
        may_end.set()
        assert {each.result() for each in results} == {"failed", "None"}

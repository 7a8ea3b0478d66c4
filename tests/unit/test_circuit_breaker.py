"""The breaker's states, and the connections of a cache that fails."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from backend.core.cache import valkey as module
from backend.core.cache.valkey import CircuitBreaker, ValkeyBytes


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def passing(breaker: CircuitBreaker, callers: int = 10) -> int:
    with ThreadPoolExecutor(callers) as pool:
        return sum(pool.map(lambda _: breaker.lets_pass(), range(callers)))


def test_everyone_passes_while_all_is_well(clock: Clock) -> None:
    assert passing(CircuitBreaker()) == 10


def test_after_the_pause_one_caller_tries_for_all(clock: Clock) -> None:
    breaker = CircuitBreaker(first=1, longest=15)
    breaker.failed()
    breaker.failed()  # threads that fail together count once
    assert passing(breaker) == 0
    clock.at += 1.1
    assert passing(breaker) == 1
    breaker.failed()
    clock.at += 1.1  # the pause is twice as long now
    assert passing(breaker) == 0
    clock.at += 1
    assert passing(breaker) == 1
    breaker.succeeded()
    assert passing(breaker) == 10
    breaker.failed()
    clock.at += 1.1  # and as short as at first after a success
    assert passing(breaker) == 1


def test_a_trial_of_which_nothing_is_heard_lets_another_try(clock: Clock) -> None:
    breaker = CircuitBreaker(first=1)
    breaker.failed()
    clock.at += 1.1
    assert passing(breaker) == 1
    assert passing(breaker) == 0
    clock.at += module.TRIAL_SECONDS + 0.1
    assert passing(breaker) == 1


def test_a_question_that_cannot_be_sent_costs_the_pool_no_connection(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ValkeyBytes(url=f"{valkey_url}?max_connections=2", seconds_to_wait=1)

    sends: Any = redis.connection.AbstractConnection.send_command

    def breaks(connection: Any, *command: Any, **options: Any) -> None:
        if command[0] == "GET":
            raise redis.ConnectionError("cut while sending")
        sends(connection, *command, **options)

    for _ in range(5):
        with monkeypatch.context() as broken:
            broken.setattr(redis.connection.AbstractConnection, "send_command", breaks)
            assert store.begin_get("key") is None
        store._breaker = CircuitBreaker()
    questions = [store.begin_get("key"), store.begin_get("key")]
    assert [question.answer() for question in questions if question] == [None, None]
    store._client.close()

"""The states of the circuit breaker, and the connections of a failing cache."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from backend.core.cache import valkey as module
from backend.core.cache.valkey import CircuitBreaker, ValkeyBytes


class Clock:
    """A clock that the test advances."""

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


def test_circuit_breaker_closed_lets_all_callers_pass(clock: Clock) -> None:
    assert passing(CircuitBreaker()) == 10


def test_circuit_breaker_after_failure_lets_one_trial_pass_per_interval(clock: Clock) -> None:
    breaker = CircuitBreaker(first=1, longest=15)
    breaker.failed()
    breaker.failed()  # threads that fail together count once
    assert passing(breaker) == 0
    clock.at += 1.1
    assert passing(breaker) == 1
    breaker.failed()
    clock.at += 1.1  # the interval has doubled
    assert passing(breaker) == 0
    clock.at += 1
    assert passing(breaker) == 1
    breaker.succeeded()
    assert passing(breaker) == 10
    breaker.failed()
    clock.at += 1.1  # the interval is reset after a success
    assert passing(breaker) == 1


def test_circuit_breaker_without_trial_result_lets_another_trial_pass(clock: Clock) -> None:
    breaker = CircuitBreaker(first=1)
    breaker.failed()
    clock.at += 1.1
    assert passing(breaker) == 1
    assert passing(breaker) == 0
    clock.at += module.TRIAL_SECONDS + 0.1
    assert passing(breaker) == 1


def test_failed_lookup_returns_connection_to_pool(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = redis.Redis.from_url(f"{valkey_url}?max_connections=1", socket_timeout=1)
    store = ValkeyBytes(client, default_timeout=60)
    sends: Any = redis.connection.AbstractConnection.send_packed_command

    def breaks(connection: Any, *command: Any, **options: Any) -> None:
        raise redis.ConnectionError("cut while sending")

    for _ in range(5):
        monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", breaks)
        assert store.get("key") is None
        monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", sends)
        store._breaker = CircuitBreaker()
    assert store.set("key", b"value")
    assert store.get("key") == b"value"
    assert (store.claim("key", seconds=1), store.claim("other", seconds=1)) == (False, True)
    assert store.delete("key")
    client.close()


def test_failed_work_during_lookup_leaves_no_response_to_next_lookup(valkey_url: str) -> None:
    client = redis.Redis.from_url(f"{valkey_url}?max_connections=1", socket_timeout=1)
    store = ValkeyBytes(client, default_timeout=60)
    assert store.set("first", b"1")

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.get_during("first", fails)
    assert store.get("second") is None
    assert store.get_during("first", lambda: "done") == (b"1", "done")
    assert store.delete("first")
    client.close()


def test_lookup_without_valkey_still_does_the_work() -> None:
    client = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=1)
    store = ValkeyBytes(client, default_timeout=60)
    assert store.get_during("key", lambda: "done") == (None, "done")
    client.close()

"""The states of the circuit breaker, and the connections of a failing cache."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.core import circuit_breaker as module
from backend.core.cache import CachedResponse, ValkeyStore, entity_tag
from backend.core.cache.valkey import PREFIX
from backend.core.circuit_breaker import CircuitBreaker
from tests.factories.silent_proxy import SilentProxy
from tests.waiting import wait_until

RESPONSE = CachedResponse(b"value", entity_tag(b"value"), version="1", fresh_until=1.5)


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
    assert passing(CircuitBreaker("part")) == 10


def test_circuit_breaker_after_failure_lets_one_trial_pass_per_interval(clock: Clock) -> None:
    breaker = CircuitBreaker("part", first=1, longest=15)
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
    breaker = CircuitBreaker("part", first=1)
    breaker.failed()
    clock.at += 1.1
    assert passing(breaker) == 1
    assert passing(breaker) == 0
    clock.at += module.TRIAL_SECONDS + 0.1
    assert passing(breaker) == 1


def test_failed_lookup_returns_connection_to_pool(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = redis.Redis.from_url(f"{valkey_url}?max_connections=1", socket_timeout=1)
    store = ValkeyStore(client)
    sends: Any = redis.connection.AbstractConnection.send_packed_command

    def breaks(connection: Any, *command: Any, **options: Any) -> None:
        raise redis.ConnectionError("cut while sending")

    for _ in range(5):
        monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", breaks)
        assert store.get("key") is None
        monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", sends)
        store = ValkeyStore(client)
    assert store.set("key", RESPONSE, 60)
    assert store.get("key") == RESPONSE
    assert store.delete("key")
    client.close()


def test_failed_work_during_lookup_leaves_no_response_to_next_lookup(valkey_url: str) -> None:
    client = redis.Redis.from_url(f"{valkey_url}?max_connections=1", socket_timeout=1)
    store = ValkeyStore(client)
    assert store.set("first", RESPONSE, 60)

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.get_during("first", fails)
    assert store.get("second") is None
    assert store.get_during("first", lambda: "done") == (RESPONSE, "done")
    assert store.delete("first")
    client.close()


def test_lookup_without_valkey_still_does_the_work() -> None:
    client = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=1)
    store = ValkeyStore(client)
    assert store.get_during("key", lambda: "done") == (None, "done")
    client.close()


def test_claim_is_held_by_one_caller_and_released_only_by_it(valkey_url: str) -> None:
    client = redis.Redis.from_url(valkey_url, socket_timeout=1)
    store = ValkeyStore(client)
    for _ in range(2):
        with store.claimed("claim", seconds=60) as first, store.claimed("claim", seconds=60) as second:
            assert (first, second) == (True, False)
        assert client.get(f"{PREFIX}claim") is None
    with store.claimed("claim", seconds=60):
        client.set(f"{PREFIX}claim", b"another", ex=60)  # as if this claim had expired
    assert client.get(f"{PREFIX}claim") == b"another"
    assert store.set("key", RESPONSE, 60), "an expired claim is no failure of Valkey"
    client.delete(f"{PREFIX}claim", f"{PREFIX}key")
    client.close()


def test_renewed_claim_lasts_as_long_as_its_block(valkey_url: str) -> None:
    client = redis.Redis.from_url(valkey_url, socket_timeout=1)
    key = f"{PREFIX}claim"
    with ValkeyStore(client).claimed("claim", seconds=3, is_renewed=True) as is_held:
        assert is_held
        for _ in range(2):
            client.pexpire(key, 60_000)
            assert wait_until(lambda: client.pttl(key) <= 3_000), "it is set to three seconds again"
        with ValkeyStore(client).claimed("claim", seconds=3, is_renewed=True) as second:
            assert second is False
        client.set(key, b"another", px=600_000)  # as if this claim had expired
        assert threads("claim-renewal") > 0
    assert wait_until(lambda: threads("claim-renewal") == 0)
    assert (client.get(key), client.pttl(key) > 500_000) == (b"another", True)
    client.delete(key)
    client.close()


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_claim_without_valkey_is_neither_held_nor_refused() -> None:
    client = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=1)
    with ValkeyStore(client).claimed("claim", seconds=60) as is_held:
        assert is_held is None
    client.close()


@pytest.mark.parametrize("is_silent", ["before the claim", "before its release"])
def test_claim_that_valkey_holds_after_it_froze_expires(valkey_url: str, is_silent: str) -> None:
    port = urlsplit(valkey_url).port or 0
    proxy = SilentProxy(port)
    direct = redis.Redis.from_url(valkey_url)
    through_proxy = valkey_url.replace(f":{port}/", f":{proxy.port}/")
    client = redis.Redis.from_url(through_proxy, socket_timeout=1, retry=Retry(NoBackoff(), 0))
    store = ValkeyStore(client)
    assert client.ping(), "with a connection, the claim itself is what Valkey receives late"
    earlier = sets(direct)
    if is_silent == "before the claim":
        proxy.silence()
    with store.claimed("claim", seconds=2) as is_held:
        assert is_held is (None if is_silent == "before the claim" else True)
        proxy.silence()
    proxy.resume()
    assert wait_until(lambda: sets(direct) > earlier), "Valkey carries out what was sent while it froze"
    assert wait_until(lambda: direct.get(f"{PREFIX}claim") is None)
    for each in (client, direct, proxy):
        each.close()


def sets(client: redis.Redis) -> int:
    """Return how many SET commands the server has carried out."""
    return int(client.info("commandstats").get("cmdstat_set", {}).get("calls", 0))

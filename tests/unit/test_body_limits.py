"""Request bodies: the number read at a time is limited, and responses are sent before the rest is drained."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO

import pytest

from backend.api import body_limits
from backend.api.body_limits import CHUNK_BYTES, DRAIN_BYTES, Body, BodySlots
from backend.core.errors import Unavailable
from backend.core.observability.health import Problem

HERE = "192.0.2.1"


def test_body_without_free_slot_is_rejected() -> None:
    slots = BodySlots(1)
    body = Body(BytesIO(b"body"), slots, HERE)
    with slots.acquire(HERE, seconds=0), pytest.raises(Unavailable) as rejected:
        body.read()
    assert rejected.value.retry_after == 1
    assert (body.read(), body.ended) == (b"body", True)


def test_body_read_to_its_end_is_marked_as_ended() -> None:
    body = Body(BytesIO(b"12345"), BodySlots(1), HERE)
    assert (body.read(3), body.ended) == (b"123", False)
    assert (body.read(3), body.ended) == (b"45", True)


class Response:
    """A response that records whether it was closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"no"

    def close(self) -> None:
        self.closed = True


def test_drain_after_sends_response_before_draining() -> None:
    source, response = BytesIO(b"x" * 3 * CHUNK_BYTES), Response()
    drained = Body(source, BodySlots(1), HERE).drain_after(response)
    assert next(drained) == b"no"
    assert source.tell() == 0
    assert list(drained) == []
    assert response.closed
    assert source.read() == b""


def test_drain_after_stops_at_byte_limit() -> None:
    class Endless:
        read_so_far = 0

        def read(self, size: int = -1, /) -> bytes:
            self.read_so_far += size
            return b"x" * size

    source = Endless()
    assert list(Body(source, BodySlots(1), HERE).drain_after([b"no"])) == [b"no"]
    assert source.read_so_far <= DRAIN_BYTES


def test_drain_after_without_free_slot_drains_nothing() -> None:
    slots, source = BodySlots(1), BytesIO(b"x" * CHUNK_BYTES)
    with slots.acquire(HERE, seconds=0):
        assert list(Body(source, slots, HERE).drain_after([b"no"])) == [b"no"]
    assert source.tell() == 0


def acquired(slots: BodySlots, stack: ExitStack, *networks: str) -> list[bool]:
    return [stack.enter_context(slots.acquire(network, seconds=0)) for network in networks]


def test_body_slots_of_one_network_are_limited_to_a_third() -> None:
    slots = BodySlots(9)
    with ExitStack() as stack:
        assert acquired(slots, stack, *[HERE] * 5) == [True] * 3 + [False] * 2
        assert acquired(slots, stack, "b", "b", "b", "c", "c", "c", "d") == [True] * 6 + [False]
    with ExitStack() as stack:
        assert acquired(slots, stack, HERE, "d") == [True, True], "released"


def test_body_slots_full_for_long_fail_health_check(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = BodySlots(9)
    monkeypatch.setattr(body_limits, "FULL_SECONDS", 0.0)
    with ExitStack() as stack:
        acquired(slots, stack, HERE, HERE)
        slots.check()
        acquired(slots, stack, HERE)
        with pytest.raises(Problem, match="3 request bodies"):
            slots.check()
        monkeypatch.setattr(body_limits, "FULL_SECONDS", 60.0)
        slots.check()
    monkeypatch.setattr(body_limits, "FULL_SECONDS", 0.0)
    slots.check()

"""Request bodies: few may wait at a time, and the response is sent before the rest of the body is drained."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO

import pytest

from backend.api import body_limits
from backend.api.body_limits import CHUNK_BYTES, DRAIN_BYTES, Body, BodySlots
from backend.core.errors import Unavailable
from backend.core.observability.health import Problem

HERE = "192.0.2.1"


def test_a_body_without_a_free_slot_is_rejected() -> None:
    slots = BodySlots(1)
    body = Body(BytesIO(b"body"), slots, HERE)
    with slots.acquire(HERE, seconds=0), pytest.raises(Unavailable) as rejected:
        body.read()
    assert rejected.value.retry_after == 1
    assert (body.read(), body.ended) == (b"body", True)


def test_a_body_knows_when_it_has_ended() -> None:
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


def test_the_response_comes_before_draining() -> None:
    source, response = BytesIO(b"x" * 3 * CHUNK_BYTES), Response()
    drained = Body(source, BodySlots(1), HERE).drain_after(response)
    assert next(drained) == b"no"
    assert source.tell() == 0
    assert list(drained) == []
    assert response.closed
    assert source.read() == b""


def test_draining_is_limited() -> None:
    class Endless:
        read_so_far = 0

        def read(self, size: int = -1, /) -> bytes:
            self.read_so_far += size
            return b"x" * size

    source = Endless()
    assert list(Body(source, BodySlots(1), HERE).drain_after([b"no"])) == [b"no"]
    assert source.read_so_far <= DRAIN_BYTES


def test_a_body_is_not_drained_without_a_free_slot() -> None:
    slots, source = BodySlots(1), BytesIO(b"x" * CHUNK_BYTES)
    with slots.acquire(HERE, seconds=0):
        assert list(Body(source, slots, HERE).drain_after([b"no"])) == [b"no"]
    assert source.tell() == 0


def acquired(slots: BodySlots, stack: ExitStack, *networks: str) -> list[bool]:
    return [stack.enter_context(slots.acquire(network, seconds=0)) for network in networks]


def test_one_network_gets_a_third_of_the_slots() -> None:
    slots = BodySlots(9)
    with ExitStack() as stack:
        assert acquired(slots, stack, *[HERE] * 5) == [True] * 3 + [False] * 2
        assert acquired(slots, stack, "b", "b", "b", "c", "c", "c", "d") == [True] * 6 + [False]
    with ExitStack() as stack:
        assert acquired(slots, stack, HERE, "d") == [True, True], "released"


def test_being_full_for_long_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
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

"""Bodies: only some may wait for them at a time, and an answer comes before the rest of what is sent is read."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO

import pytest

from backend.api import body_limits
from backend.api.body_limits import HEARD_OUT_BYTES, PIECE_BYTES, Body, Places
from backend.core.errors import Unavailable
from backend.core.observability.health import Problem

HERE = "192.0.2.1"


def test_one_too_many_is_told_to_come_again() -> None:
    places = Places(1)
    body = Body(BytesIO(b"body"), places, HERE)
    with places.taken(HERE, seconds=0), pytest.raises(Unavailable) as told:
        body.read()
    assert told.value.retry_after == 1
    assert (body.read(), body.ended) == (b"body", True)


def test_it_tells_when_it_has_ended() -> None:
    body = Body(BytesIO(b"12345"), Places(1), HERE)
    assert (body.read(3), body.ended) == (b"123", False)
    assert (body.read(3), body.ended) == (b"45", True)


class Answer:
    """An answer that knows whether it was closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"no"

    def close(self) -> None:
        self.closed = True


def test_the_answer_comes_first() -> None:
    source, answer = BytesIO(b"x" * 3 * PIECE_BYTES), Answer()
    heard = Body(source, Places(1), HERE).heard_out(answer)
    assert next(heard) == b"no"
    assert source.tell() == 0
    assert list(heard) == []
    assert answer.closed
    assert source.read() == b""


def test_nobody_is_heard_out_for_ever() -> None:
    class Endless:
        read_so_far = 0

        def read(self, size: int = -1, /) -> bytes:
            self.read_so_far += size
            return b"x" * size

    source = Endless()
    assert list(Body(source, Places(1), HERE).heard_out([b"no"])) == [b"no"]
    assert source.read_so_far <= HEARD_OUT_BYTES


def test_nobody_is_heard_out_where_others_wait() -> None:
    places, source = Places(1), BytesIO(b"x" * PIECE_BYTES)
    with places.taken(HERE, seconds=0):
        assert list(Body(source, places, HERE).heard_out([b"no"])) == [b"no"]
    assert source.tell() == 0


def taken(places: Places, stack: ExitStack, *networks: str) -> list[bool]:
    return [stack.enter_context(places.taken(network, seconds=0)) for network in networks]


def test_one_caller_gets_a_third_of_the_places() -> None:
    places = Places(9)
    with ExitStack() as stack:
        assert taken(places, stack, *[HERE] * 5) == [True] * 3 + [False] * 2
        assert taken(places, stack, "b", "b", "b", "c", "c", "c", "d") == [True] * 6 + [False]
    with ExitStack() as stack:
        assert taken(places, stack, HERE, "d") == [True, True], "given back"


def test_being_full_for_long_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(9)
    monkeypatch.setattr(body_limits, "FULL_SECONDS", 0.0)
    with ExitStack() as stack:
        taken(places, stack, HERE, HERE)
        places.check()
        taken(places, stack, HERE)
        with pytest.raises(Problem, match="3 request bodies"):
            places.check()
        monkeypatch.setattr(body_limits, "FULL_SECONDS", 60.0)
        places.check()
    monkeypatch.setattr(body_limits, "FULL_SECONDS", 0.0)
    places.check()

"""Bodies: only some may wait for them at a time, and an answer comes before the rest of what is sent is read."""

import threading
from collections.abc import Iterator
from io import BytesIO

import pytest

from backend.api.bodies import HEARD_OUT_BYTES, PIECE_BYTES, Body
from backend.core.errors import Unavailable


def test_one_too_many_is_told_to_come_again() -> None:
    places = threading.BoundedSemaphore(1)
    body = Body(BytesIO(b"body"), places)
    with places, pytest.raises(Unavailable) as told:
        body.read()
    assert told.value.retry_after == 1
    assert (body.read(), body.ended) == (b"body", True)


def test_it_tells_when_it_has_ended() -> None:
    body = Body(BytesIO(b"12345"), threading.BoundedSemaphore(1))
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
    heard = Body(source, threading.BoundedSemaphore(1)).heard_out(answer)
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
    assert list(Body(source, threading.BoundedSemaphore(1)).heard_out([b"no"])) == [b"no"]
    assert source.read_so_far <= HEARD_OUT_BYTES


def test_nobody_is_heard_out_where_others_wait() -> None:
    places, source = threading.BoundedSemaphore(1), BytesIO(b"x" * PIECE_BYTES)
    with places:
        assert list(Body(source, places).heard_out([b"no"])) == [b"no"]
    assert source.tell() == 0

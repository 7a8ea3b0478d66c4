"""The lock per key: it serialises transactions on the same row and is reentrant."""

import time
from threading import Event, Thread

import pytest
from flask import Flask

from backend.core import concurrency
from backend.core.concurrency import hold_key_lock
from backend.core.db.session import transaction
from tests.waiting import HANG_SECONDS

KEY = ("rows", 1)


def test_key_lock_held_by_transaction_blocks_second_until_it_ends(shared_app: Flask) -> None:
    order: list[str] = []
    inside, may_end = Event(), Event()

    def first() -> None:
        with shared_app.app_context(), transaction():
            hold_key_lock(KEY)
            inside.set()
            may_end.wait(HANG_SECONDS)
            order.append("first")

    def second() -> None:
        inside.wait(HANG_SECONDS)
        with shared_app.app_context(), transaction():
            hold_key_lock(KEY)
            order.append("second")

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(HANG_SECONDS)
    may_end.set()
    for thread in threads:
        thread.join(HANG_SECONDS)
    assert order == ["first", "second"]
    assert not concurrency._key_locks, "the lock is removed after use"


def test_key_lock_taken_again_in_same_transaction_does_not_block(
    shared_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "PATIENCE_SECONDS", 2 * HANG_SECONDS)
    started = time.monotonic()
    with shared_app.app_context():
        with transaction():
            for _ in range(20):
                hold_key_lock(KEY)
        hold_key_lock(KEY)  # outside of a transaction it is released at once
    assert time.monotonic() - started < HANG_SECONDS
    assert not concurrency._key_locks

"""Who changes the same row takes turns; nobody waits for himself, and nobody waits for ever."""

import time
from threading import Event, Thread

from flask import Flask

from backend.core import concurrency
from backend.core.concurrency import hold_key_lock
from backend.core.db.session import transaction

KEY = ("rows", 1)


def test_the_second_waits_until_the_first_has_ended(shared_app: Flask) -> None:
    order: list[str] = []
    inside, may_end = Event(), Event()

    def first() -> None:
        with shared_app.app_context(), transaction():
            hold_key_lock(KEY)
            inside.set()
            may_end.wait(10)
            order.append("first")

    def second() -> None:
        inside.wait(10)
        with shared_app.app_context(), transaction():
            hold_key_lock(KEY)
            order.append("second")

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert order == ["first", "second"]
    assert not concurrency._lines, "nothing is left behind"


def test_one_unit_of_work_never_waits_for_itself(shared_app: Flask) -> None:
    began = time.monotonic()
    with shared_app.app_context():
        with transaction():
            for _ in range(20):
                hold_key_lock(KEY)
        hold_key_lock(KEY)  # outside of any: it ends at once
    assert time.monotonic() - began < 20 * concurrency.PATIENCE_SECONDS / 2
    assert not concurrency._lines

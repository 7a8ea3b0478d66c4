"""The fair semaphore: a limited number of holders, in order of arrival."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.core.concurrency import FairSemaphore
from backend.core.errors import Unavailable

BUSY = "Too many"


def test_semaphore_held_concurrently_never_exceeds_its_limit() -> None:
    two, here, most = FairSemaphore(2), 0, 0
    count = threading.Lock()

    def work(_: int) -> None:
        nonlocal here, most
        with two.acquire(error=BUSY):
            with count:
                here += 1
                most = max(most, here)
            time.sleep(0.005)
            with count:
                here -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert (most, here) == (2, 0)


def test_semaphore_serves_waiting_threads_in_order_of_arrival() -> None:
    one, served = FairSemaphore(1), []
    threads = []

    def work(number: int) -> None:
        with one.acquire(error=BUSY):
            served.append(number)

    with one.acquire(error=BUSY):
        for number in range(6):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            while len(one._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(6))


def test_semaphore_acquire_over_timeout_is_rejected() -> None:
    one = FairSemaphore(1, seconds=0.02)

    def fail() -> None:
        with one.acquire(error=BUSY):
            raise AssertionError("the semaphore was acquired twice")

    with one.acquire(error=BUSY), pytest.raises(Unavailable, match=BUSY):
        fail()
    with one.acquire(error=BUSY):
        pass


def test_semaphore_is_released_after_exception() -> None:
    one = FairSemaphore(1)
    for _ in range(2):
        with pytest.raises(RuntimeError), one.acquire(error=BUSY):
            raise RuntimeError("the work failed")


def test_semaphore_with_full_queue_rejects_at_once() -> None:
    one, served = FairSemaphore(1, seconds=60, most=2), []

    def wait() -> None:
        with one.acquire(error=BUSY):
            served.append("second")

    second = threading.Thread(target=wait)
    with one.acquire(error=BUSY):
        second.start()
        while not one._waiting:
            time.sleep(0.001)
        with pytest.raises(Unavailable, match=BUSY), one.acquire(error=BUSY):
            served.append("third")
    second.join()
    assert served == ["second"]

"""Hashing: it gives way where people browse, and nowhere else."""

import os
import threading

import pytest

from backend.core.passwords import NICENESS, Passwords

CHEAP = {"memory_kib": 16, "time_cost": 1, "parallelism": 1}


def niceness_while_hashing(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> int:
    seen: list[int] = []

    class Hasher:
        def hash(self, _: bytes) -> str:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return "hashed"

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    passwords.hash("a garden at dusk")
    return seen[0]


def test_only_a_web_server_hashes_in_what_time_others_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness_while_hashing(Passwords(**CHEAP), monkeypatch) == here
    web = Passwords(**CHEAP)
    web.give_way()
    assert niceness_while_hashing(web, monkeypatch) == NICENESS

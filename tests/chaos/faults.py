"""What is broken on purpose, how it heals, and in which order: the same seed gives the same order."""

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import redis

from backend.launch import processes
from tests.chaos.fleet import Fleet
from tests.chaos.history import Fails
from tests.scale.lab import Machine

Breaking = Callable[[Fleet, random.Random], Iterator[None]]
CLOCK: Final = Path(__file__).parent / "clock"
CLOCK_SECONDS: Final = (-30, 30)  # tokens are valid a minute around their times
CUT: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL
"""
PIECE: Final = b"\0" * (1 << 20)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: ``breaking`` breaks at its start, and heals when it is resumed.

    ``seconds``: the shortest and longest time between the two. ``missing``: why it cannot be had here; empty if it can.
    """

    name: str
    breaking: Breaking
    fails: Fails
    seconds: tuple[float, float] = (2.0, 8.0)
    missing: Callable[[Fleet], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Step:
    """A fault of the schedule, and for how many seconds it lasts."""

    fault: Fault
    seconds: float
    seed: int


def _machine(fleet: Fleet, dice: random.Random) -> Machine:
    return dice.choice(fleet.machines)


def _kill(kind: str) -> Breaking:
    def kill(fleet: Fleet, dice: random.Random) -> Iterator[None]:
        machine = dice.choice([machine for machine in fleet.machines if kind in machine.running])
        fleet.kill(machine, kind)
        yield
        machine.start(kind)

    return kill


def _freeze(kind: str) -> Breaking:
    def freeze(fleet: Fleet, dice: random.Random) -> Iterator[None]:
        machine = _machine(fleet, dice)
        fleet.signal(machine, kind, signal.SIGSTOP)
        yield
        fleet.signal(machine, kind, signal.SIGCONT)

    return freeze


def _kill_valkey(fleet: Fleet, _: random.Random) -> Iterator[None]:
    assert fleet.valkey.process is not None
    processes.kill_group(fleet.valkey.process)
    fleet.valkey.process.wait()
    yield
    fleet.valkey.start()


def _freeze_valkey(fleet: Fleet, _: random.Random) -> Iterator[None]:
    assert fleet.valkey.process is not None
    fleet.valkey.process.send_signal(signal.SIGSTOP)
    yield
    fleet.valkey.process.send_signal(signal.SIGCONT)


def _empty_valkey(fleet: Fleet, _: random.Random) -> Iterator[None]:
    with redis.Redis.from_url(fleet.valkey.url) as connection:
        connection.flushall()
    yield


def _cut_connections(fleet: Fleet, _: random.Random) -> Iterator[None]:
    with psycopg.connect(fleet.postgres.url, autocommit=True) as connection:
        connection.execute(CUT)
    yield


def _restart_database(fleet: Fleet, _: random.Random) -> Iterator[None]:
    fleet.postgres.stop()
    yield
    fleet.postgres.start()


def _crash_database(fleet: Fleet, _: random.Random) -> Iterator[None]:
    assert fleet.postgres.process is not None
    # Its processes end at once, and the log is replayed at the start.
    fleet.postgres.process.send_signal(signal.SIGQUIT)
    fleet.postgres.process.wait()
    fleet.postgres.process = None
    yield
    fleet.postgres.start()


def _restart_pooler(fleet: Fleet, _: random.Random) -> Iterator[None]:
    fleet.restart_pooler()
    yield


def _drain(fleet: Fleet, dice: random.Random) -> Iterator[None]:
    machine = _machine(fleet, dice)
    fleet.drain(machine)
    yield
    machine.start("web")


def _stop_mail(fleet: Fleet, _: random.Random) -> Iterator[None]:
    fleet.smtp.stop()
    yield
    fleet.smtp.start(fleet.smtp_port)


def _slow_mail(fleet: Fleet, _: random.Random) -> Iterator[None]:
    fleet.smtp.delay = 2.0
    yield
    fleet.smtp.delay = 0.0


def _wrong_clock(fleet: Fleet, dice: random.Random) -> Iterator[None]:
    """Restart a web machine, drained as for an upgrade, with a clock that is wrong, and again with the right one."""
    machine = _machine(fleet, dice)
    fleet.drain(machine)
    shifted = {"PYTHONPATH": str(CLOCK), "CLOCK_SHIFT": str(dice.choice(CLOCK_SECONDS))}
    machine.changes |= shifted
    machine.start("web")
    fleet.proxy.wait_for(fleet.server_of(machine), "UP")
    yield
    for name in shifted:
        del machine.changes[name]
    fleet.drain(machine)
    machine.start("web")


def _fill_disk(fleet: Fleet, _: random.Random) -> Iterator[None]:
    assert fleet.disk is not None
    filler = fleet.disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(PIECE)
        except OSError:
            pass
    yield
    filler.unlink()


def _cut_network(fleet: Fleet, dice: random.Random) -> Iterator[None]:
    """Lose every packet between one machine and the database, without closing a connection."""
    link = fleet.links[_machine(fleet, dice).name]
    link.silence()
    yield
    link.resume()


FAULTS: Final = (
    Fault("web killed", _kill("web"), Fails.ALL),
    Fault("web frozen", _freeze("web"), Fails.ALL, (3, 12)),
    Fault("web drained", _drain, Fails.NONE, (0, 2)),
    Fault("worker killed", _kill("worker"), Fails.NONE),
    Fault("worker frozen", _freeze("worker"), Fails.NONE, (5, 30)),
    Fault("beat killed", _kill("beat"), Fails.NONE),
    Fault("events killed", _kill("events"), Fails.NONE),
    Fault("Valkey killed", _kill_valkey, Fails.NONE),
    Fault("Valkey frozen", _freeze_valkey, Fails.NONE, (2, 12)),
    Fault("Valkey emptied", _empty_valkey, Fails.NONE, (0, 1)),
    Fault("database connections cut", _cut_connections, Fails.ALL, (0, 1)),
    Fault("database restarted", _restart_database, Fails.ALL),
    Fault("database crashed", _crash_database, Fails.ALL),
    Fault("PgBouncer restarted", _restart_pooler, Fails.ALL, (0, 1)),
    Fault("network to database cut", _cut_network, Fails.ALL, (5, 20)),
    Fault("mail server down", _stop_mail, Fails.NONE),
    Fault("mail server slow", _slow_mail, Fails.NONE, (5, 15)),
    Fault(
        "disk full", _fill_disk, Fails.FILES, (3, 8), lambda fleet: "" if fleet.disk else "needs root for a small disk"
    ),
    Fault("clock wrong", _wrong_clock, Fails.NONE, (3, 10)),
)  # fmt: skip


def schedule(seed: int, faults: Sequence[Fault]) -> Iterator[Step]:
    """Return faults without end: all of them in a random order, then all again in another one."""
    dice = random.Random(seed)
    while True:
        for fault in dice.sample(list(faults), len(faults)):
            yield Step(fault, round(dice.uniform(*fault.seconds), 1), dice.randrange(1 << 30))


@contextmanager
def broken(fleet: Fleet, step: Step) -> Iterator[None]:
    """Break something for the length of the block."""
    healing = step.fault.breaking(fleet, random.Random(step.seed))
    next(healing)
    try:
        yield
    finally:
        next(healing, None)

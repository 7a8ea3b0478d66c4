"""Keeps the processes of one installation running, and stops all of them together."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import psutil

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError

FIRST_PAUSE, LONGEST_PAUSE, QUIET_SECONDS = 0.5, 30.0, 60.0
LARGEST_LOG = 20 * 1024 * 1024
LOG_CHECK_SECONDS = 10.0
# How long a replaced web server waits for the next request on each kept connection, which it then closes.
LEAVING_SECONDS: Final = 15.0

Say = Callable[[str], None]


class Part(Protocol):
    """A process that can be restarted."""

    name: str
    log: Path

    def start(self) -> object: ...
    def alive(self) -> bool: ...
    def stop(self) -> None: ...


@dataclass
class Program:
    """One of the product's processes, with its output in a log file."""

    name: str
    argv: Sequence[str]
    env: dict[str, str]
    log: Path
    patience: float
    folder: Path | None = None
    descriptors: Sequence[int] = ()
    port: int | None = None  # of its clients, for a program that lets go of them once it was replaced
    leaving_seconds: float = LEAVING_SECONDS
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        if self.process is not None:
            processes.kill_group(self.process)  # leftovers of the dead process
        with private_files.open_log(self.log) as log:
            self.process = processes.spawn(
                self.argv, env=self.env, output=log.fileno(), cwd=self.folder, descriptors=self.descriptors
            )

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def ask_to_leave(self) -> None:
        """Have it serve its open connections only, if it has clients; else end."""
        if self.port is None:
            self.ask_to_end()
        elif self.process is not None and self.alive():
            self.process.send_signal(signal.SIGUSR2)

    def has_clients(self) -> bool:
        """Return whether one of its processes has an open connection at the port, or still accepts one."""
        if self.port is None or self.process is None:
            return False
        try:
            found = [
                one for child in psutil.Process(self.process.pid).children() for one in child.net_connections("tcp")
            ]
        except psutil.Error:
            return self.alive()
        states = (psutil.CONN_ESTABLISHED, psutil.CONN_LISTEN)
        return any(one.status in states and one.laddr.port == self.port for one in found)

    def ask_to_end(self) -> None:
        if self.process is not None and self.alive():
            self.process.terminate()

    def stop(self) -> None:
        if self.process is not None:
            processes.end(self.process, patience=self.patience)
            self.process = None

    def kill(self) -> None:
        """Kill it, with the processes that it started, without waiting for what it does."""
        if self.process is not None:
            processes.kill_group(self.process)
            self.process.wait()
            self.process = None


@dataclass
class _Watch:
    part: Part
    failures: int = 0
    started_at: float = 0.0
    again_at: float | None = None


@dataclass
class _Leaving:
    """A program that ends. ``ends_at``: when it is asked to end; ``killed_at``: None until it was asked."""

    program: Program
    ends_at: float
    killed_at: float | None = None


@dataclass
class Supervisor:
    """Starts parts in order, restarts those that die, and stops them in reverse order."""

    say: Say
    stopping: bool = False
    _logs_checked_at: float = 0.0
    _watched: list[_Watch] = field(default_factory=list)
    _staged: dict[str, Program] = field(default_factory=dict)
    _leaving: list[_Leaving] = field(default_factory=list)
    _wake: tuple[int, int] = field(default_factory=os.pipe)

    def listen(self) -> None:
        """Install handlers: SIGINT and SIGTERM stop the product, SIGCHLD wakes the supervisor."""
        os.set_blocking(self._wake[1], False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def add(self, part: Part) -> None:
        """Adopt a part that is already running, or start it."""
        if not part.alive():
            part.start()
        self._watched.append(_Watch(part, started_at=time.monotonic()))

    def run(self, each_time: Callable[[], None] = lambda: None) -> None:
        """Watch until asked to stop, and call this twice a second."""
        while not self.stopping:
            self.check()
            each_time()
            self.wait(0.5)

    def wait(self, seconds: float) -> None:
        """Sleep until the time is over or a signal arrives."""
        if select.select([self._wake[0]], [], [], seconds)[0]:
            os.read(self._wake[0], 512)

    def check(self) -> None:
        """Restart dead parts, with a delay that grows the more often a part dies."""
        self._rotate_logs()
        self._end_leaving()
        for watch in self._watched:
            now = time.monotonic()
            if watch.part.alive():
                if watch.failures and now - watch.started_at > QUIET_SECONDS:
                    watch.failures = 0
            elif watch.again_at is None:
                pause = min(FIRST_PAUSE * 2**watch.failures, LONGEST_PAUSE)
                watch.failures += 1
                watch.again_at = now + pause
                self.say(f"{watch.part.name} exited unexpectedly; restarting it in {pause:g} s")
            elif now >= watch.again_at:
                self._start_again(watch)

    def restart(self, names: Collection[str]) -> None:
        """End these parts and start them again at once, as after a change of their source."""
        chosen = [watch for watch in self._watched if watch.part.name in names]
        for watch in chosen:
            if isinstance(watch.part, Program):
                watch.part.ask_to_end()
        for watch in chosen:
            watch.part.stop()
            watch.failures = 0
            self._start_again(watch)

    def stage(self, program: Program) -> None:
        """Start a program beside the one of the same name. It is not restarted; see :meth:`promote`."""
        self.discard(program.name)
        program.start()
        self._staged[program.name] = program

    def promote(self, name: str) -> None:
        """Watch the staged program from now on, and end the one of the same name. Raises KeyError without one."""
        program = self._staged.pop(name)
        for watch in self._watched:
            if isinstance(watch.part, Program) and watch.part.name == name:
                former, watch.part = watch.part, program
                watch.failures, watch.started_at, watch.again_at = 0, time.monotonic(), None
                self._let_leave(former)

    def discard(self, name: str, *, at_once: bool = False) -> None:
        """End the staged program of this name, if there is one. Does not wait for it, unless it is killed at once."""
        program = self._staged.pop(name, None)
        if program is not None and at_once:
            program.kill()
        elif program is not None:
            self._let_leave(program)

    def program(self, name: str) -> Program:
        """Return the watched program of this name. Raises KeyError without one."""
        for watch in self._watched:
            if isinstance(watch.part, Program) and watch.part.name == name:
                return watch.part
        raise KeyError(name)

    def _let_leave(self, program: Program) -> None:
        program.ask_to_leave()
        now = time.monotonic()
        killed_at = now + program.patience if program.port is None else None  # without clients it was asked to end
        self._leaving.append(_Leaving(program, now + program.leaving_seconds, killed_at))

    def _end_leaving(self) -> None:
        """Ask replaced programs to end once they have no clients or their time is over; kill those that hang."""
        for leaving in list(self._leaving):
            program, now = leaving.program, time.monotonic()
            if not program.alive() or (leaving.killed_at is not None and now > leaving.killed_at):
                program.kill()  # with what is left of its processes
                self._leaving.remove(leaving)
            elif leaving.killed_at is None and (now > leaving.ends_at or not program.has_clients()):
                program.ask_to_end()
                leaving.killed_at = now + program.patience

    def failures(self) -> int:
        """Return how often the least stable part has died recently."""
        return max((watch.failures for watch in self._watched), default=0)

    def stop(self) -> None:
        """Stop programs first, all together, so that running work finishes while database and cache are up."""
        parts = [
            *self._staged.values(),
            *(leaving.program for leaving in self._leaving),
            *(watch.part for watch in self._watched),
        ]
        for part in parts:
            if isinstance(part, Program):
                part.ask_to_end()
        for part in sorted(parts, key=lambda part: not isinstance(part, Program)):
            part.stop()
        self._watched.clear()
        self._staged.clear()
        self._leaving.clear()

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._logs_checked_at < LOG_CHECK_SECONDS:
            return
        self._logs_checked_at = time.monotonic()
        for watch in self._watched:
            try:
                private_files.rotate(watch.part.log, largest=LARGEST_LOG)
            except OSError as error:  # e.g. a full disk: keep the log and retry later
                self.say(f"{watch.part.log} could not be rotated: {error.strerror or error}")

    def _start_again(self, watch: _Watch) -> None:
        watch.again_at = None
        watch.started_at = time.monotonic()
        try:
            watch.part.start()
        except (LaunchError, OSError) as error:
            self.say(f"{watch.part.name}: {error}")

    def _stop_soon(self, *_: object) -> None:
        self.stopping = True

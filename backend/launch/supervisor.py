"""Keeps the processes of one installation running, and stops all of them together."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError

FIRST_PAUSE, LONGEST_PAUSE, QUIET_SECONDS = 0.5, 30.0, 60.0
LARGEST_LOG = 20 * 1024 * 1024
LOG_CHECK_SECONDS = 10.0

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
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        if self.process is not None:
            processes.kill_group(self.process)  # leftovers of the dead process
        with private_files.open_log(self.log) as log:
            self.process = processes.spawn(self.argv, env=self.env, output=log.fileno(), cwd=self.folder)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        if self.process is not None and self.alive():
            self.process.terminate()

    def stop(self) -> None:
        if self.process is not None:
            processes.end(self.process, patience=self.patience)
            self.process = None


@dataclass
class _Watch:
    part: Part
    failures: int = 0
    started_at: float = 0.0
    again_at: float | None = None


@dataclass
class Supervisor:
    """Starts parts in order, restarts those that die, and stops them in reverse order."""

    say: Say
    stopping: bool = False
    _logs_checked_at: float = 0.0
    _watched: list[_Watch] = field(default_factory=list)
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

    def run(self) -> None:
        """Watch until asked to stop."""
        while not self.stopping:
            self.check()
            self.wait(0.5)

    def wait(self, seconds: float) -> None:
        """Sleep until the time is over or a signal arrives."""
        if select.select([self._wake[0]], [], [], seconds)[0]:
            os.read(self._wake[0], 512)

    def check(self) -> None:
        """Restart dead parts, with a delay that grows the more often a part dies."""
        self._rotate_logs()
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

    def failures(self) -> int:
        """Return how often the least stable part has died recently."""
        return max((watch.failures for watch in self._watched), default=0)

    def stop(self) -> None:
        """Stop programs first, all together, so that running work finishes while database and cache are up."""
        parts = [watch.part for watch in self._watched]
        for part in parts:
            if isinstance(part, Program):
                part.ask_to_end()
        for part in sorted(parts, key=lambda part: not isinstance(part, Program)):
            part.stop()
        self._watched.clear()

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

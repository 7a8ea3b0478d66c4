"""The launcher's side of `make upgrade`: replaces a program by one of another version when asked."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final

import psutil

from backend.launch import handover, release
from backend.launch.control import Message
from backend.launch.errors import LaunchError
from backend.launch.supervisor import Supervisor

WEB: Final = "web"


@dataclass
class Replacement:
    """Starts a program beside the running one, and replaces that with it, or ends it again."""

    supervisor: Supervisor
    listeners: Sequence[socket.socket]
    _asker: tuple[str, int] | None = None  # the program that is staged, and the process that asked for it
    _command: list[str] = field(default_factory=list)
    _probe: socket.socket | None = None
    _gate: int | None = None
    _held: dict[Path, IO[str] | None] = field(default_factory=dict)

    def handle(self, request: Message) -> Message:
        """Execute one request. Raises LaunchError, OSError, and KeyError for a program that does not run."""
        name = str(request["name"])
        match request["do"]:
            case "start":
                return self._start(name, request)
            case "open":
                self._close()
                return {}
            case "promote":
                former = self.supervisor.program(name).pid
                self.supervisor.promote(name)
                self._asker = None
                self._forget_probe(name)
                self.hold_environment(name)
                return {"former": former}
            case "discard":
                self._discard(name)
                return {}
        raise LaunchError(f"The running launcher does not know the request {request['do']!r}.")

    def discard_abandoned(self) -> None:
        """End a staged program whose upgrade was killed: nobody would replace the running one with it."""
        if self._asker is not None:
            name, pid = self._asker
            if not psutil.pid_exists(pid):
                self._discard(name)

    def _discard(self, name: str) -> None:
        # Behind a closed gate it has served nobody. It must not be there any more when that opens.
        self.supervisor.discard(name, at_once=self._gate is not None)
        self._asker = None
        self._close()

    def hold_environment(self, name: str) -> None:
        """Keep make from changing the packages of a program that runs."""
        environment = Path(self.supervisor.program(name).argv[0]).parent.parent
        if environment not in self._held:
            self._held[environment] = release.hold(environment)

    def close(self) -> None:
        """Let go of the environments."""
        for held in self._held.values():
            if held is not None:
                held.close()
        self._held.clear()
        self._close()

    def _start(self, name: str, request: Message) -> Message:
        argv = request["argv"]
        if not isinstance(argv, list):
            raise LaunchError("The request to start a program has no command.")
        running = self.supervisor.program(name)
        self._discard(name)
        argv = self._command = [str(part) for part in argv]
        descriptors: tuple[int, ...] = ()
        gate = None
        if name == WEB:
            self._probe = handover.listen("127.0.0.1", 0)
            gate, self._gate = os.pipe()
            passed = replace(self._inherited, probe=self._probe.fileno(), gate=gate, token=str(request["token"]))
            argv, descriptors = [*self._command, *passed.arguments], passed.descriptors
        program = replace(
            running, argv=argv, folder=Path(str(request["folder"])), descriptors=descriptors, process=None
        )
        try:
            self.supervisor.stage(program)
            self._asker = (name, int(str(request["asker"])))
        finally:
            if gate is not None:
                os.close(gate)
        return {"pid": program.pid, "former": running.pid, "probe": self._probe and self._probe.getsockname()[1]}

    @property
    def _inherited(self) -> handover.Inherited:
        return handover.Inherited(tuple(one.fileno() for one in self.listeners))

    def _forget_probe(self, name: str) -> None:
        """Have a web server that is restarted later accept calls at once."""
        self._close()
        program = self.supervisor.program(name)
        if name == WEB:
            program.argv = [*self._command, *self._inherited.arguments]
            program.descriptors = self._inherited.descriptors

    def _close(self) -> None:
        """Open the gate, if there is one."""
        if self._gate is not None:
            os.close(self._gate)
            self._gate = None
        if self._probe is not None:
            self._probe.close()
            self._probe = None

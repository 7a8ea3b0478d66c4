"""`make dev`: the product with its source watched, and Vite's dev server for the web application."""

import dataclasses
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from backend.launch import frontend
from backend.launch.private_files import free_port
from backend.launch.readiness import answers
from backend.launch.start import Launch, main
from backend.launch.supervisor import Program

SOURCE: Final = Path(__file__).resolve().parents[1]
WATCHED: Final = {".py", ".html", ".txt", ".json", ".css", ".js"}
PROGRAMS: Final = ("web", "worker", "beat", "events")
VITE_PORT: Final = 5173
VITE: Final = "node_modules/vite/bin/vite.js"
POLL_SECONDS: Final = 0.5


def source_files() -> Iterator[tuple[str, int]]:
    """Every file of the backend that a running process has read, with the time of its last change."""
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = Path(folder, name)
            if path.suffix in WATCHED:
                try:
                    yield str(path), path.stat().st_mtime_ns
                except FileNotFoundError:  # an editor replaced it between the listing and here
                    continue


@dataclass
class Development(Launch):
    """The product with one web process, short shutdowns, and both sides reloaded when a file changes."""

    vite_port: int = field(default_factory=lambda: free_port(VITE_PORT))
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> str:
        """Address of the web application; Vite passes calls of the API on to the web server."""
        return f"http://127.0.0.1:{self.vite_port}"

    def build_web_app(self) -> None:
        """Install packages only: Vite compiles each page when it is asked for."""
        frontend.install(self.say)
        self.settings = dataclasses.replace(
            self.settings, public_url=self.pages, web_workers=1, drain_seconds=0, shutdown_seconds=1
        )

    def start_programs(self) -> None:
        self.environment |= {
            "PUBLIC_URL": self.pages,
            "WEB_WORKERS": "1",
            "DRAIN_SECONDS": "0",
            "SHUTDOWN_SECONDS": "1",
        }
        self.seen = dict(source_files())
        super().start_programs()
        node = Path(sys.executable).parent / "node"
        argv = [str(node), VITE, "--port", str(self.vite_port), "--strictPort", "--clearScreen=false"]
        env = {**self.environment, "DOORSTEP_API": f"http://127.0.0.1:{self.settings.port}"}
        log = self.settings.data_dir / "logs" / "vite.log"
        self.supervisor.add(Program("vite", argv, env, log, patience=5, folder=frontend.FRONTEND))

    def wait_until_ready(self) -> bool:
        """Wait for the web server, then for Vite."""
        ready = super().wait_until_ready()
        while ready and not self.supervisor.stopping and not answers(f"{self.pages}/app/"):
            self.supervisor.check()
            self.supervisor.wait(0.1)
        if ready and not self.supervisor.stopping:
            self.say(
                f"Reloading: backend/ ({', '.join(PROGRAMS)}) and frontend/src (in the browser) at {self.pages}/app/"
            )
        return ready

    def folder(self) -> Path:
        """Return the source itself, of which each change is wanted."""
        return frontend.ROOT

    def watch(self) -> None:
        """Restart our programs when a file of the backend was changed, added or removed."""
        while not self.supervisor.stopping:
            self.supervisor.check()
            self.reload_when_changed()
            self.supervisor.wait(POLL_SECONDS)

    def reload_when_changed(self) -> None:
        """Compare the source with what the programs were started from."""
        found = dict(source_files())
        changed = sorted(name for name, _ in found.items() ^ self.seen.items())
        if not changed:
            return
        self.seen = found
        started = time.monotonic()
        self.supervisor.restart(PROGRAMS)
        more = f" and {len(set(changed)) - 1} more" if len(set(changed)) > 1 else ""
        name = Path(changed[0]).relative_to(SOURCE.parent)
        self.say(f"Restarted in {time.monotonic() - started:.1f} s after a change of {name}{more}")


if __name__ == "__main__":
    sys.exit(main(Development))

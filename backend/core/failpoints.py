"""Failpoints: named places at which tests kill the process to prove that nothing is lost."""

import os
import signal

from backend.core.config import current_settings


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL, once per DATA_DIR, if CRASH_AT names this failpoint. Tests only."""
    settings = current_settings()
    if name not in settings.crash_at.split(","):
        return
    try:
        (settings.data_dir / f"crashed-{name}").touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

"""Named places at which tests end the process, to prove that nothing is lost there. Does nothing outside of tests."""

import os
import signal

from backend.core.config import current_settings


def failpoint(name: str) -> None:
    """End this process as kill -9 would, once in a DATA_DIR, if the setting CRASH_AT names this place."""
    settings = current_settings()
    if name not in settings.crash_at.split(","):
        return
    try:
        (settings.data_dir / f"crashed-{name}").touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

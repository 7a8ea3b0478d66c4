"""One run a DATA_DIR: the lock goes with the process that holds it, however that ends."""

import fcntl
import os
from pathlib import Path
from typing import IO

from backend.launch.errors import LaunchError


def claim(data_dir: Path) -> IO[str]:
    """Make the folder if need be and hold it until the answer is closed."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True, mode=0o711)  # the database's own user may walk through, nobody may list
    (data_dir / "run").mkdir(exist_ok=True)
    lock = (data_dir / "run" / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise LaunchError(f"Doorstep already runs in {data_dir} (process {holder}).") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock

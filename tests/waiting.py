"""How tests wait for a condition, and for how long."""

from collections.abc import Callable
from typing import Final

from backend.launch import processes

# A limit for what hangs, which says nothing about speed: a busy machine may need minutes for seconds.
HANG_SECONDS: Final = 300


def wait_until(condition: Callable[[], bool], *, pause: float = 0.03) -> bool:
    """Poll the condition and return whether it became true in time."""
    return processes.wait_until(condition, seconds=HANG_SECONDS, pause=pause)

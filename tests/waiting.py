"""How tests wait for a condition, and for how long before they take it for one that never comes."""

from collections.abc import Callable
from typing import Final

from backend.launch import processes

# A bound for what hangs, not a claim about speed: a machine busy with other work may need minutes for seconds.
HANG_SECONDS: Final = 300


def wait_until(condition: Callable[[], bool], *, pause: float = 0.03) -> bool:
    """Return whether the condition became true before it was taken for one that hangs."""
    return processes.wait_until(condition, seconds=HANG_SECONDS, pause=pause)

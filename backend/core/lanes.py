"""The lanes of jobs. Apart from the job table, so that beat, which only sends messages, loads no database driver."""

from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """``URGENT``: account emails, exports, housekeeping, run completion. ``BULK``: the other messages."""

    URGENT = "urgent"
    BULK = "bulk"


# Celery's queue of each lane. Workers consume queues in alphabetical order, so the urgent one must sort first.
QUEUES: Final = {Lane.URGENT: "doorstep", Lane.BULK: "doorstep.bulk"}

"""The lanes of jobs. Apart from the job table, so that beat, which only sends messages, loads no database driver."""

from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """``URGENT``: account emails, housekeeping, run completion. ``BULK``: the other messages. ``EXPORTS``: files."""

    URGENT = "urgent"
    BULK = "bulk"
    EXPORTS = "exports"


# Celery's queue of each lane. Workers consume queues in alphabetical order, so the urgent one must sort first.
QUEUES: Final = {Lane.URGENT: "doorstep", Lane.BULK: "doorstep.bulk", Lane.EXPORTS: "doorstep.exports"}

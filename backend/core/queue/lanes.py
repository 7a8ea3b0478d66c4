"""Lanes of the job table: work in bulk never delays what somebody waits for."""

from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """``URGENT``: account mails, exports, housekeeping, closing runs. ``BULK``: notifications, reminders, reports."""

    URGENT = "urgent"
    BULK = "bulk"


# Celery's queue of each lane. Workers take messages in the order of these names, so the urgent one has to sort first.
QUEUES: Final = {Lane.URGENT: "doorstep", Lane.BULK: "doorstep.bulk"}

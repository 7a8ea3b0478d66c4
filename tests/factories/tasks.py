"""Tasks for tests, made through the same rules as everyone."""

from decimal import Decimal
from itertools import count
from typing import Any

from backend.core.db.session import transaction
from backend.core.security.authz import SYSTEM
from backend.domain.tasks import actions
from backend.domain.tasks.actions import NewTask
from backend.domain.tasks.models import Task

_number = count(1)


def fields(**changes: Any) -> dict[str, Any]:
    """What an admin sends to create a task, unique each time."""
    return {
        "name": f"Plumbing {next(_number)}",
        "description": "Leaks, taps and pipes.",
        "category": "Repairs",
        "base_price": "499.00",
        "time_required": 60,
        **changes,
    }


def make_task(**changes: Any) -> Task:
    """A task on offer, committed. Needs an application context."""
    given = fields(**changes)
    given["base_price"] = Decimal(given["base_price"])
    given["isactive"] = bool(given.get("isactive", True))
    with transaction():
        return actions.create(SYSTEM, new=NewTask(**given))

"""Tasks for tests, created by the domain's own actions."""

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
    """Return the body that creates a task, with a unique name."""
    return {
        "name": f"Plumbing {next(_number)}",
        "description": "Leaks, taps and pipes.",
        "category": "Repairs",
        "base_price": "499.00",
        "time_required": 60,
        **changes,
    }


def make_task(**changes: Any) -> Task:
    """Create an active task and commit it, within an application context."""
    given = fields(**changes)
    given["base_price"] = Decimal(given["base_price"])
    given["isactive"] = bool(given.get("isactive", True))
    with transaction():
        return actions.create(SYSTEM, new=NewTask(**given))

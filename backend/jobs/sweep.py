"""Finds due jobs that nobody holds (put off, lost by the broker, or their worker died) and notifies workers of them."""

from typing import Final

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from backend.core import queue
from backend.core.config import current
from backend.core.database import transaction
from backend.core.queue import QUEUES, Lane

log = structlog.get_logger(__name__)
ENOUGH_MESSAGES: Final = 500


def sweep() -> int:
    """Notify of forgotten jobs, lane by lane; returns of how many (bulk jobs are found by one message)."""
    return _sweep_urgent() + _sweep_bulk()


def _sweep_urgent() -> int:
    if messages_waiting(Lane.URGENT) > ENOUGH_MESSAGES:
        return 0  # nothing is lost, the workers are behind: more messages would only make their queue longer
    with transaction():
        ids = queue.forgotten_ids(Lane.URGENT)
    if ids:
        current_app.extensions["job_bell"](ids, lane=Lane.URGENT)
    return len(ids)


def _sweep_bulk() -> int:
    if messages_waiting(Lane.BULK):
        return 0  # whoever takes that one finds the jobs
    with transaction():
        is_waiting = queue.is_waiting(Lane.BULK)
    if is_waiting:
        current_app.extensions["job_bell"]([], lane=Lane.BULK)
    return int(is_waiting)


def messages_waiting(lane: Lane) -> int:
    """How many messages of a lane the broker holds; 0 when it does not say."""
    try:
        with Redis.from_url(current().broker_url, socket_timeout=1, socket_connect_timeout=1) as broker:
            length = broker.llen(QUEUES[lane])
            return length if isinstance(length, int) else 0
    except RedisError as error:
        log.warning("broker_away", error=repr(error))
        return 0

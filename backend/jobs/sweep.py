"""Finds due jobs that nobody holds (put off, lost by the broker, or their worker died) and rings for them."""

from typing import Final

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from backend.core import queue
from backend.core.config import current
from backend.core.database import transaction

log = structlog.get_logger(__name__)
QUEUE: Final = "doorstep"
ENOUGH_MESSAGES: Final = 500


def sweep() -> int:
    """Ring for forgotten jobs; returns for how many."""
    if messages_waiting() > ENOUGH_MESSAGES:
        return 0  # nothing is lost, the workers are behind: more bells would only make their queue longer
    with transaction():
        ids = queue.forgotten_ids()
    if ids:
        current_app.extensions["job_bell"](ids)
    return len(ids)


def messages_waiting() -> int:
    """How many bells the broker holds; 0 when it does not say."""
    try:
        with Redis.from_url(current().broker_url, socket_timeout=1, socket_connect_timeout=1) as broker:
            length = broker.llen(QUEUE)
            return length if isinstance(length, int) else 0
    except RedisError as error:
        log.warning("broker_away", error=repr(error))
        return 0

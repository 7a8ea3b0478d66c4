"""Dispatch jobs to workers: a message after commit, and redelivery of jobs whose message was lost."""

import os
import threading
from queue import Empty, Full, Queue
from typing import Final

import structlog
from flask import current_app
from redis.exceptions import RedisError

from backend.core import queue, valkey
from backend.core.config import current_settings
from backend.core.db.session import transaction
from backend.core.queue import QUEUES, Lane
from backend.jobs.celery_app import make_celery
from backend.settings import Settings

log = structlog.get_logger(__name__)
MAX_QUEUED: Final = 10_000
JOBS_PER_MESSAGE: Final = 20
TASK: Final = "doorstep.run_jobs"
BULK_TASK: Final = "doorstep.run_bulk"
EXPORTS_TASK: Final = "doorstep.run_exports"
# Workers find the jobs of these lanes themselves, oldest first. Each number stands for a lane; no job has it as its id.
LANES: Final = {0: (Lane.BULK, BULK_TASK), -1: (Lane.EXPORTS, EXPORTS_TASK)}
NOTICES: Final = {lane: notice for notice, (lane, _) in LANES.items()}


class JobDispatcher:
    """Sends job ids in the background, many per message. The sweep finds those that could not be sent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pid = 0
        self._waiting: Queue[int] = Queue(MAX_QUEUED)

    def __call__(self, job_ids: list[int], *, lane: Lane) -> None:
        self._start()
        notices = job_ids if lane is Lane.URGENT else [NOTICES[lane]]
        try:
            for notice in notices:
                self._waiting.put_nowait(notice)
        except Full:
            log.warning("dispatch.overflowed", jobs=len(job_ids))

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()  # threads do not survive a fork
            self._waiting = Queue(MAX_QUEUED)
            threading.Thread(target=self._send, args=(self._waiting,), name="job-dispatcher", daemon=True).start()

    def _send(self, waiting: "Queue[int]") -> None:
        celery = make_celery(self._settings)
        celery.conf.broker_transport_options |= {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
        while True:
            notices = _next(waiting)
            job_ids = [notice for notice in notices if notice not in LANES]
            try:
                if job_ids:
                    celery.send_task(TASK, args=[job_ids], ignore_result=True, retry=False)
                for notice in set(notices) & set(LANES):
                    lane, task = LANES[notice]
                    celery.send_task(task, queue=QUEUES[lane], ignore_result=True, retry=False)
            except Exception as error:  # noqa: BLE001 - the broker is unavailable; the sweep sends again
                log.warning("dispatch.failed", error=repr(error), jobs=len(job_ids))


def _next(waiting: "Queue[int]") -> list[int]:
    """Return the next job ids to send: at least one, plus those already queued, up to the size of a message."""
    notices = [waiting.get()]
    try:
        while len(notices) < JOBS_PER_MESSAGE:
            notices.append(waiting.get_nowait())
    except Empty:
        pass
    return notices


def job_dispatcher(settings: Settings) -> JobDispatcher:
    """Return the notifier of this process."""
    return JobDispatcher(settings)


ENOUGH_MESSAGES: Final = 500


def redeliver() -> int:
    """Dispatch missed jobs of each lane and return how many (one message covers all jobs but urgent ones)."""
    with transaction():
        waiting = queue.waiting_lanes()
    done = _redeliver_urgent() if Lane.URGENT in waiting else 0
    return done + sum(_redeliver(lane) for lane in NOTICES if lane in waiting)


def _redeliver_urgent() -> int:
    if messages_waiting(Lane.URGENT) > ENOUGH_MESSAGES:
        return 0  # the workers are behind: more messages would only lengthen their queue
    with transaction():
        ids = queue.undispatched_ids(Lane.URGENT)
    if ids:
        current_app.extensions["job_dispatcher"](ids, lane=Lane.URGENT)
    return len(ids)


def _redeliver(lane: Lane) -> int:
    if messages_waiting(lane):
        return 0  # the waiting message already leads to these jobs
    current_app.extensions["job_dispatcher"]([], lane=lane)
    return 1


def messages_waiting(lane: Lane) -> int:
    """Return how many messages of a lane the broker holds, or 0 if it does not respond."""
    try:
        with valkey.client(current_settings().broker_url, socket_timeout=1, socket_connect_timeout=1) as broker:
            length = broker.llen(QUEUES[lane])
            return length if isinstance(length, int) else 0
    except RedisError as error:
        log.warning("broker.unavailable", error=repr(error))
        return 0

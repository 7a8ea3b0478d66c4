"""The Celery application, which wakes workers for the job table, with limits that keep each job with one worker."""

from typing import Final

from celery import Celery
from kombu.entity import Queue

from backend.core.lanes import QUEUES, Lane
from backend.settings import Settings

TICK_SECONDS: Final = 5


def make_celery(settings: Settings) -> Celery:
    """Create the Celery application. Soft limit < hard limit < visibility timeout; leases are short and renewed."""
    app = Celery("doorstep", broker=settings.broker_url)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUES[Lane.URGENT],
        task_queues=[Queue(name) for name in QUEUES.values()],  # type: ignore[no-untyped-call]  # kombu says no more
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.worker_concurrency,
        worker_hijack_root_logger=False,
        broker_transport="backend.jobs.broker:Transport",
        task_soft_time_limit=settings.job_soft_limit_seconds,
        task_time_limit=settings.job_hard_limit_seconds,
        broker_connection_retry_on_startup=True,
        broker_channel_error_retry=True,  # treat errors of the broker like a lost connection
        broker_connection_timeout=1,
        broker_connection_max_retries=None,  # unlimited, so that the worker survives a broker outage
        worker_cancel_long_running_tasks_on_connection_loss=False,  # running jobs do not need the broker
        broker_transport_options={
            "queue_order_strategy": "sorted",  # always urgent messages first
            "visibility_timeout": settings.job_visibility_seconds,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 1,
        },
        timezone="UTC",
        beat_schedule=_beat(settings),
        beat_max_loop_interval=5,
    )
    return app


def _beat(settings: Settings) -> dict[str, dict[str, object]]:
    """Return beat's entries. Beat only ticks; what is due is decided and claimed in PostgreSQL.

    A tick sweeps, too: each message costs an idle marketplace some 10 ms of processor time. Sweeps have messages of
    their own only where they are wanted more often.
    """
    entries: dict[str, dict[str, object]] = {
        "tick": {"task": "doorstep.tick", "schedule": float(TICK_SECONDS), "options": {"expires": 10}},
    }
    if settings.job_sweep_seconds < TICK_SECONDS:
        every = settings.job_sweep_seconds
        entries["sweep"] = {"task": "doorstep.sweep", "schedule": float(every), "options": {"expires": every}}
    return entries

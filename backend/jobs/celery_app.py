"""The Celery application, which wakes workers for the job table, with limits that keep each job with one worker."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from celery import Celery
from kombu.entity import Queue

from backend.core import valkey
from backend.core.lanes import QUEUES, Lane
from backend.settings import Settings

TICK_SECONDS: Final = 5


def make_celery(settings: Settings) -> Celery:
    """Create the Celery application. Soft limit < hard limit < visibility timeout; leases are short and renewed."""
    broker = _broker(settings.broker_url)
    app = Celery("doorstep", broker=broker.url)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=QUEUES[Lane.URGENT],
        task_queues=[Queue(name) for name in QUEUES.values()],  # type: ignore[no-untyped-call]  # kombu says no more
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.worker_concurrency,
        worker_hijack_root_logger=False,
        broker_transport=f"backend.jobs.broker:{broker.transport}",
        task_soft_time_limit=settings.job_soft_limit_seconds,
        task_time_limit=settings.job_hard_limit_seconds,
        broker_connection_retry_on_startup=True,
        broker_channel_error_retry=True,  # treat errors of the broker like a lost connection
        broker_connection_timeout=1,
        broker_connection_max_retries=None,  # unlimited, so that the worker survives a broker outage
        worker_cancel_long_running_tasks_on_connection_loss=False,  # running jobs do not need the broker
        broker_transport_options={
            **broker.options,
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


class _Broker(NamedTuple):
    """What kombu is told about the broker's address."""

    url: str
    transport: str = "Transport"
    options: Mapping[str, str] = {}


def _broker(url: str) -> _Broker:
    if not valkey.is_sentinel(url):
        return _Broker(url)
    address = valkey.SentinelAddress(url)
    (host, port), *_ = address.hosts
    # kombu parses this address and shows it in its log; the channel takes the Sentinels from the option.
    return _Broker(f"redis://{host}:{port}/{address.database}", "SentinelTransport", {"sentinel_url": url})


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

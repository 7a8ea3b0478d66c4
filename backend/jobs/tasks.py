"""The Celery tasks: run jobs, tick, sweep, heartbeat at the start. Everything else is rows of the job table."""

from importlib import import_module
from typing import Final

import structlog
from celery import Celery, Task
from flask import Flask

from backend.jobs import dispatch, health, polling, runner, schedule
from backend.jobs.dispatch import BULK_TASK, EXPORTS_TASK, TASK

log = structlog.get_logger(__name__)
HANDLER_MODULES: Final = (
    "accounts",
    "availability",
    "documents",
    "exports",
    "housekeeping",
    "notifications",
    "reminders",
    "reports",
    "run_completion",
    "visit_reminders",
)


class TaskFailed(Exception):
    """Stands for an error that was logged, and is short.

    An error with its traceback may be larger than a pipe holds. A job process that hands one over while the worker
    shuts down waits for a reader, and the worker waits for the process: both for good.
    """


def register(celery: Celery, app: Flask) -> None:
    """Register the tasks, which run in the context of the Flask application."""
    for name in HANDLER_MODULES:
        import_module(f"backend.jobs.{name}")

    class ContextTask(Task):
        abstract = True

        def __call__(self, *args: object, **kwargs: object) -> object:
            with polling.message_in_hand(), app.app_context():
                try:
                    return self.run(*args, **kwargs)
                except Exception as error:
                    log.exception("task.failed", task=self.name)
                    raise TaskFailed(f"{self.name}: {error!r}"[:500]) from None

    celery.Task = ContextTask
    celery.task(name=TASK)(_run_jobs)
    celery.task(name=BULK_TASK)(_run_bulk)
    celery.task(name=EXPORTS_TASK)(_run_exports)
    celery.task(name="doorstep.tick")(_tick)
    celery.task(name="doorstep.sweep")(dispatch.redeliver)
    celery.task(name="doorstep.heartbeat")(health.beat)


def _tick() -> None:
    """Record a heartbeat, start what is due, and dispatch what was missed.

    One message for all three: an idle marketplace wakes less often.
    """
    health.beat()
    try:
        schedule.tick()
    finally:
        dispatch.redeliver()


def _run_jobs(job_ids: list[int]) -> None:
    runner.run_many(job_ids)


def _run_bulk() -> None:
    runner.run_bulk()


def _run_exports() -> None:
    runner.run_exports()

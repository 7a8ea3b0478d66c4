"""Entry points of the job processes: `python -m backend.worker worker` and `python -m backend.worker beat`."""

import gc
import logging
import os
import sys

from backend.core.lanes import QUEUES, Lane
from backend.jobs.celery_app import make_celery
from backend.settings import Settings, SettingsError

USAGE = "usage: python -m backend.worker worker|beat"


def work(settings: Settings) -> None:
    """Run jobs until SIGTERM; the current job finishes first."""
    from celery.signals import worker_process_init, worker_ready

    from backend.application import create_application
    from backend.core import storage
    from backend.core.db import connection_budget
    from backend.core.db.session import db, pooled
    from backend.core.observability import logging as log_lines
    from backend.core.observability import metrics, metrics_server, process_metrics, process_reports, tracing
    from backend.domain.dashboard import table_metrics
    from backend.jobs import lanes, polling, shutdown, tasks

    log_lines.name_process("worker")
    app = create_application(connection_budget.for_jobs(settings))
    celery = make_celery(settings)
    tasks.register(celery, app)
    mine = [Lane(name) for name in settings.worker_queues]
    lanes.init(settings.worker_concurrency, mine)

    def collect() -> list[metrics.Metric]:
        with app.app_context():
            return table_metrics.collect()

    def start_process(**_: object) -> None:
        with app.app_context():
            db.engine.dispose(close=False)  # the connections belong to the parent
        _record_spans()
        polling.start(app)
        process_metrics.start("worker", app)
        process_reports.start(settings, "worker", connect=pooled(app), stores=storage.identities(settings))

    def send_first_heartbeat(**_: object) -> None:
        celery.send_task("doorstep.heartbeat", ignore_result=True, expires=30)

    worker_process_init.connect(start_process, weak=False)
    shutdown.limit_worker(settings.shutdown_seconds)
    shutdown.end_job_processes(app.extensions["event_publisher"].end, tracing.stop)
    worker_ready.connect(send_first_heartbeat, weak=False)
    metrics.begin(settings)
    process_metrics.start("worker")
    metrics_server.start(settings, collect)
    _share_memory()
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # nobody listens to these messages
    try:
        _quiet_celery()
        options = (f"--loglevel={settings.log_level.upper()}", f"--concurrency={settings.worker_concurrency}")
        queues = f"--queues={','.join(QUEUES[lane] for lane in mine)}"
        celery.start(["worker", *options, queues, *quiet])
    finally:
        process_reports.leave(settings, "worker", pid=os.getpid())


def _record_spans() -> None:
    from backend.core.db import statement_spans

    statement_spans.start("worker")


def _share_memory() -> None:
    """Load what job processes need, and keep the garbage collector from copying the memory that they share."""
    from backend.core.observability import tracing

    tracing.load()
    gc.collect()
    gc.freeze()


def tick(settings: Settings) -> None:
    """Enqueue periodic jobs. Beat keeps no state: PostgreSQL decides what is due and who claims it."""
    from celery.apps.beat import Beat

    from backend.core.observability import logging as log_lines
    from backend.core.observability import metrics, metrics_server, process_metrics, process_reports
    from backend.jobs import shutdown

    log_lines.name_process("beat")
    log_lines.configure(settings)
    metrics.begin(settings)
    process_metrics.start("beat")
    metrics_server.start(settings)
    reporter = process_reports.start(settings, "beat")

    def leave() -> None:
        if reporter is not None:
            reporter.close()
        process_reports.leave(settings, "beat", pid=os.getpid())

    shutdown.end_beat_at_once(leave)
    _quiet_celery()
    # Celery's command would first load the command lines of all its programs.
    Beat(app=make_celery(settings), scheduler_cls="celery.beat:Scheduler", loglevel=settings.log_level.upper()).run()


def _quiet_celery() -> None:
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)  # one line per tick would hide the rest


def main(arguments: list[str]) -> int:
    commands = {"worker": work, "beat": tick}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"{USAGE}\n")
        return 2
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        sys.stderr.write(f"A setting is wrong: {error}\n")
        return 2
    commands[arguments[0]](settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The job table (an outbox): jobs are rows written with the change that needs them; Celery is only the doorbell."""

from backend.core.queue.leases import (
    Lease,
    LeaseLost,
    claim,
    claim_many,
    fail,
    finish,
    finish_many,
    forgotten_ids,
    release,
    renew,
)
from backend.core.queue.models import Job, JobRun
from backend.core.queue.outbox import enqueue, enqueue_many, init_app

__all__ = [
    "Job",
    "JobRun",
    "Lease",
    "LeaseLost",
    "claim",
    "claim_many",
    "enqueue",
    "enqueue_many",
    "fail",
    "finish",
    "finish_many",
    "forgotten_ids",
    "init_app",
    "release",
    "renew",
]

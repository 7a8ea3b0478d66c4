"""The job table (an outbox): jobs are stored in the transaction of the change; Celery only wakes workers."""

from backend.core.lanes import QUEUES, Lane
from backend.core.queue.leases import (
    Lease,
    LeaseLost,
    Snooze,
    claim,
    claim_many,
    claim_next,
    dead_letter,
    fail,
    finish,
    finish_guarded,
    is_older_than,
    is_waiting,
    release,
    renew,
    snooze,
    undispatched_ids,
    waiting_lanes,
)
from backend.core.queue.models import Job, JobRun
from backend.core.queue.outbox import enqueue, enqueue_many, init_app
from backend.core.queue.topics import PartPayload, RunPayload, StoredFilePayload, Topic

__all__ = [
    "QUEUES",
    "Job",
    "JobRun",
    "Lane",
    "Lease",
    "LeaseLost",
    "PartPayload",
    "RunPayload",
    "Snooze",
    "StoredFilePayload",
    "Topic",
    "claim",
    "claim_many",
    "claim_next",
    "dead_letter",
    "enqueue",
    "enqueue_many",
    "fail",
    "finish",
    "finish_guarded",
    "init_app",
    "is_older_than",
    "is_waiting",
    "release",
    "renew",
    "snooze",
    "undispatched_ids",
    "waiting_lanes",
]

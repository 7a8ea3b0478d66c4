"""What admins do with jobs: run one now, retry a failed one."""

from backend.core.queue import Job, JobRun, admin, runs
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record


def run_now(actor: Actor, *, name: str, params: dict[str, object]) -> JobRun:
    """Start an unscheduled run. Raises NotFound, or Invalid for parameters that the job does not take."""
    row = admin.scheduled(name)
    checked = row.check(params)
    run_id = runs.start(row, params=checked, requested_by=actor.id)
    record(actor, "job_run", subject_id=run_id, subject_kind="job_run", after={"name": name, **checked})
    return admin.run(run_id)


def retry_failed(actor: Actor, *, job_id: int) -> Job:
    """Start a failed job again. Raises NotFound or Conflict."""
    job = admin.retry_failed(job_id)
    record(actor, "job_retried", subject_id=job_id, subject_kind="job", after={"topic": job.topic})
    return job

"""Jobs for admins: the schedule, runs, and failed jobs."""

from backend.api import language
from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import jobs as schemas
from backend.api.schemas.common import Window as Paging
from backend.api.schemas.common import WindowData
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.queue import Job, JobRun, admin
from backend.core.security.authz import Actor
from backend.core.sentences import LOG, translated
from backend.domain.market import operations

POLL_SECONDS = "1"


def present(run: JobRun) -> JsonObject:
    """Return a run as a response body."""
    seconds = run.finished_at and run.started_at and (run.finished_at - run.started_at).total_seconds()
    return {
        "id": run.id,
        "name": run.name,
        "status": run.status,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seconds": seconds,
        "sent": run.sent,
        "failed": run.failed,
        "skipped": run.skipped,
        "error": run.error,
        "requested_by": run.requested_by,
        "params": run.params,
    }


def present_failed(job: Job) -> JsonObject:
    """Return a failed job without its payload, which may hold private data."""
    names = ("id", "topic", "attempts", "error", "created_at")
    return {**{name: getattr(job, name) for name in names}, "failed_at": job.dead_at, "parked_at": job.dead_at}


class Jobs(Resource):
    @endpoint(summary="List scheduled jobs", who=ADMINS, response=schemas.Jobs())
    def get(self, actor: Actor) -> ApiResponse:
        """Returns each job's schedule and last run, and the state of the queue. Titles are in the reader's language."""
        reader = language.of_reader(actor)
        items = [
            {
                "name": entry.row.name,
                "title": translated(entry.row.title, reader, LOG),
                "schedule": entry.row.when.describe(),
                "last_run": present(entry.last_run) if entry.last_run else None,
                "next_run": entry.next_run,
            }
            for entry in admin.schedule_entries()
        ]
        backlog = admin.backlog()
        body: JsonObject = {
            "items": items,
            "next_cursor": None,
            "waiting": backlog.waiting,
            "failed": backlog.dead,
            "parked": backlog.dead,
            "oldest_waiting_seconds": round(backlog.oldest_seconds, 3),
        }
        return ApiResponse(body, headers={"Content-Language": reader, "Vary": "Accept-Language"})


class RunJob(Resource):
    @endpoint(
        summary="Run a job now",
        who=ADMINS,
        body=schemas.RunNow(),
        body_required=False,
        response=schemas.Run(),
        status=202,
        errors=(NotFound, Invalid),
        headers=("Location", "Retry-After"),
    )
    def post(self, actor: Actor, *, name: str, body: schemas.RunNowData) -> ApiResponse:
        """Users who have already received today's reminder, or the month's report, are skipped."""
        run = operations.run_now(actor, name=name, params=dict(body))
        headers = {"Location": f"/jobs/runs/{run.id}", "Retry-After": POLL_SECONDS}
        return ApiResponse(present(run), headers=headers)


class JobRuns(Resource):
    @endpoint(summary="List runs", who=ADMINS, query=schemas.RunFilter(), response=schemas.Run(), paged=True)
    def get(self, _: Actor, *, query: schemas.RunFilterData) -> Page[JsonObject]:
        """Newest first."""
        page = admin.run_page(name=query["name"], window=Window(query["limit"], query["cursor"]))
        return Page([present(run) for run in page.items], page.next_cursor)


class OneJobRun(Resource):
    @endpoint(summary="Get a run", who=ADMINS, response=schemas.Run(), errors=(NotFound,), headers=("Retry-After",))
    def get(self, _: Actor, *, run_id: int) -> ApiResponse:
        """The status becomes done when each of its messages has been sent or has failed permanently."""
        run = admin.run(run_id)
        return ApiResponse(present(run), headers={"Retry-After": POLL_SECONDS} if run.finished_at is None else {})


class FailedJobs(Resource):
    @endpoint(summary="List failed jobs", who=ADMINS, query=Paging(), response=schemas.FailedJob(), paged=True)
    def get(self, _: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Jobs that failed permanently, newest first, each with its last error."""
        page = admin.failed_jobs(window=Window(query["limit"], query["cursor"]))
        return Page([present_failed(job) for job in page.items], page.next_cursor)


class RetryFailedJob(Resource):
    @endpoint(
        summary="Retry a failed job",
        who=ADMINS,
        response=schemas.FailedJob(),
        status=202,
        errors=(NotFound, Conflict),
    )
    def post(self, actor: Actor, *, job_id: int) -> JsonObject:
        """Resets the number of attempts."""
        return present_failed(operations.retry_failed(actor, job_id=job_id))

"""Jobs over HTTP: the schedule, starting a run, its progress, failed jobs."""

from flask import Flask
from sqlalchemy import text

from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.queue import StoredFilePayload, Topic
from tests.factories.jobs import age, enqueue_empty, work
from tests.factories.users import Users


def test_jobs_list_returns_schedule_and_next_run_of_each_job(users: Users) -> None:
    admin = users.admin()
    body = admin.get("/jobs").json
    names = {row["name"]: row for row in body["items"]}
    assert {"daily-reminders", "monthly-reports", "housekeeping"} <= set(names)
    assert names["daily-reminders"]["schedule"] == "daily at 18:00"
    assert names["daily-reminders"]["last_run"] is None
    assert names["daily-reminders"]["next_run"]
    assert body["next_cursor"] is None


def test_job_run_is_followed_from_queued_to_done(users: Users) -> None:
    admin = users.admin()
    answer = admin.post("/jobs/daily-reminders/run")
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert answer.headers["Retry-After"]
    location = answer.headers["Location"]
    assert location == f"/jobs/runs/{answer.json['id']}"
    assert admin.get(location).headers["Retry-After"]
    work(now=True)
    run = admin.get(location).json
    assert (run["status"], run["sent"], run["failed"], run["skipped"]) == ("done", 0, 0, 0)
    assert run["started_at"] <= run["finished_at"]
    assert "Retry-After" not in admin.get(location).headers
    items = {row["name"]: row for row in admin.get("/jobs").json["items"]}
    assert items["daily-reminders"]["last_run"]["id"] == run["id"]
    assert [row["id"] for row in admin.get("/jobs/runs?name=daily-reminders").json["items"]] == [run["id"]]
    (entry,) = db.session.execute(text("SELECT action, subject_id FROM audit_entries WHERE action = 'job_run'"))
    assert entry.subject_id == run["id"]


def test_housekeeping_run_returns_its_failed_parts(users: Users) -> None:
    admin = users.admin()
    location = admin.post("/jobs/housekeeping/run", {}).headers["Location"]
    work(now=True)
    run = admin.get(location).json
    assert (run["status"], run["failed"], run["params"]["failed_parts"]) == ("done", 0, [])


def test_job_run_with_unknown_name_or_parameters_is_rejected(users: Users) -> None:
    admin = users.admin()
    assert admin.post("/jobs/unknown/run").status_code == 404
    refused = admin.post("/jobs/daily-reminders/run", {"month": "2026-11"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["month"])
    assert admin.post("/jobs/monthly-reports/run", {"month": "2026-13"}).status_code == 422
    assert admin.post("/jobs/daily-reminders/run", {"colour": "red"}).status_code == 422
    assert admin.get("/jobs/runs/999").status_code == 404


def test_failed_job_is_listed_and_retried(app: Flask, users: Users) -> None:
    admin = users.admin()
    with transaction():
        queue.enqueue(Topic("unknown.topic", StoredFilePayload), StoredFilePayload("secret"))
        age("unknown.topic")
    work()
    (failed,) = admin.get("/jobs/failed").json["items"]
    assert (failed["topic"], "secret" in str(failed)) == ("unknown.topic", False)
    assert admin.get("/jobs").json["failed"] == 1
    again = admin.post(f"/jobs/failed/{failed['id']}/retry")
    assert (again.status_code, again.json["failed_at"]) == (202, None)
    assert "Deprecation" not in again.headers
    assert admin.post(f"/jobs/failed/{failed['id']}/retry").json["code"] == "job_not_failed"
    assert admin.post("/jobs/failed/999/retry").status_code == 404


def test_former_job_paths_respond_and_name_their_successors(app: Flask, users: Users) -> None:
    admin = users.admin()
    with transaction():
        enqueue_empty("unknown.topic")
        age("unknown.topic")
    work()
    listed = admin.get("/jobs/parked")
    (failed,) = listed.json["items"]
    assert failed["parked_at"] == failed["failed_at"] is not None
    assert admin.get("/jobs").json["parked"] == 1
    assert listed.headers["Deprecation"].startswith("@")
    assert '</jobs/failed>; rel="successor-version"' in listed.headers.getlist("Link")
    again = admin.post(f"/jobs/parked/{failed['id']}/retry")
    assert again.status_code == 202
    assert f'</jobs/failed/{failed["id"]}/retry>; rel="successor-version"' in again.headers.getlist("Link")


def test_jobs_for_customers_are_rejected(users: Users) -> None:
    asha = users.customer()
    for method, path in (("get", "/jobs"), ("post", "/jobs/daily-reminders/run"), ("get", "/jobs/runs/1")):
        answer = getattr(asha, method)(path)
        assert (answer.status_code, answer.json["code"]) == (403, "role_not_allowed")

"""THE URL TABLE: path -> Resource."""

from typing import Final

from flask import Flask
from flask_restful import Resource

from backend.api.errors import ProblemApi
from backend.api.resources import (
    accounts,
    docs,
    documents,
    exports,
    health,
    jobs,
    notifications,
    openapi,
    passwords,
    places,
    preferences,
    professionals,
    reports,
    sessions,
    task_requests,
    tasks,
)

ROUTES: Final[tuple[tuple[str, type[Resource]], ...]] = (
    ("/add_customer", accounts.AddCustomer),
    ("/add_professional", accounts.AddProfessional),
    ("/me", accounts.Me),
    ("/me/document", documents.MyDocument),
    ("/professionals/<id:professional_id>/document", documents.ProfessionalDocument),
    ("/professionals/<id:professional_id>/approve", professionals.Approve),
    ("/professionals/<id:professional_id>/reject", professionals.Reject),
    ("/check", sessions.Check),
    ("/token/refresh", sessions.Refresh),
    ("/logout", sessions.Logout),
    ("/logout/everywhere", sessions.LogoutEverywhere),
    ("/me/sessions", sessions.MySessions),
    ("/me/sessions/<string:session_id>", sessions.MySession),
    ("/me/password", passwords.MyPassword),
    ("/password/forgot", passwords.ForgotPassword),
    ("/password/reset", passwords.ResetPassword),
    ("/email/confirm", passwords.ConfirmMail),
    ("/me/email/confirmation", passwords.MyConfirmation),
    ("/healthz", health.Healthz),
    ("/readyz", health.Readyz),
    ("/metrics", health.Metrics),
    ("/openapi.json", openapi.OpenApi),
    ("/docs", docs.Docs),
    ("/docs/<string:name>", docs.DocsPart),
    ("/exports", exports.Exports),
    ("/exports/<id:export_id>", exports.OneExport),
    ("/exports/<id:export_id>/cancel", exports.CancelExport),
    ("/exports/<id:export_id>/download", exports.DownloadExport),
    ("/reports", reports.Reports),
    ("/reports/<string:month>", reports.OneReport),
    ("/tasks", tasks.Tasks),
    ("/tasks/<id:task_id>", tasks.OneTask),
    ("/places", places.Places),
    ("/requests", task_requests.Requests),
    ("/requests/<id:request_id>", task_requests.OneRequest),
    ("/requests/<id:request_id>/accept", task_requests.Accept),
    ("/requests/<id:request_id>/reject", task_requests.Reject),
    ("/requests/<id:request_id>/release", task_requests.Release),
    ("/requests/<id:request_id>/complete", task_requests.Complete),
    ("/requests/<id:request_id>/close", task_requests.Close),
    ("/requests/<id:request_id>/cancel", task_requests.Cancel),
    ("/me/inbox", task_requests.Inbox),
    ("/me/preferences", preferences.MyPreferences),
    ("/notifications", notifications.Notifications),
    ("/notifications/read", notifications.ReadNotifications),
    ("/deliveries", notifications.Deliveries),
    ("/deliveries/<id:delivery_id>", notifications.OneDelivery),
    ("/deliveries/<id:delivery_id>/resend", notifications.Resend),
    ("/unsubscribe/<string:token>", notifications.Unsubscribe),
    ("/jobs", jobs.Jobs),
    ("/jobs/<string:name>/run", jobs.RunJob),
    ("/jobs/runs", jobs.JobRuns),
    ("/jobs/runs/<id:run_id>", jobs.OneJobRun),
    ("/jobs/parked", jobs.ParkedJobs),
    ("/jobs/parked/<id:job_id>/retry", jobs.RetryParkedJob),
)


def init_app(app: Flask) -> None:
    api = ProblemApi(app)
    for path, resource in ROUTES:
        api.add_resource(resource, path, endpoint=f"{resource.__module__.rsplit('.', 1)[-1]}.{resource.__name__}")

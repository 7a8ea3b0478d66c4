"""The topics of the jobs that the schedule starts. Each handler is in the module of its feature."""

from typing import Final

from backend.core.queue import RunPayload, Topic

REMINDERS: Final = Topic("reminders.run", RunPayload)
VISIT_REMINDERS: Final = Topic("visit_reminders.run", RunPayload)
REPORTS: Final = Topic("reports.run", RunPayload)
HOUSEKEEPING: Final = Topic("housekeeping.run", RunPayload)
AVAILABILITY_RECOUNT: Final = Topic("recount.run", RunPayload)
DOCUMENT_SWEEP: Final = Topic("documents.sweep", RunPayload)

"""The processes of all machines, for admins."""

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import JsonObject
from backend.api.schemas import processes as schemas
from backend.core.clock import now
from backend.core.observability import fleet
from backend.core.security.authz import Actor


class Processes(Resource):
    @endpoint(summary="List the processes of all machines", who=ADMINS, response=schemas.Processes())
    def get(self, _: Actor) -> JsonObject:
        """Each reports every 15 seconds. Findings: silent processes, several versions, settings that disagree."""
        found, findings = fleet.report()
        at = now()
        return {
            "items": [_present(process, is_silent=fleet.is_silent(process, at)) for process in found],
            "next_cursor": None,
            "findings": [
                {"topic": finding.topic, "names": list(finding.names), "processes": list(finding.processes)}
                for finding in findings
            ],
        }


def _present(process: fleet.Process, *, is_silent: bool) -> JsonObject:
    names = ("id", "kind", "machine", "pid", "version", "started_at", "seen_at")
    return {**{name: getattr(process, name) for name in names}, "silent": is_silent}

"""Errors of exports."""

from backend.core.errors import Conflict, Gone


class NotReady(Conflict):
    """The file is not ready."""

    code = "export_not_ready"


class Failed(Conflict):
    """The export failed or was cancelled: there is no file."""

    code = "export_failed"


class Expired(Gone):
    """The file has expired and was deleted."""

    code = "export_expired"


class NotRunning(Conflict):
    """An export that has ended cannot be cancelled."""

    code = "export_ended"


class ExportInterrupted(Exception):
    """The export was cancelled, or another worker has taken it, while it was written."""

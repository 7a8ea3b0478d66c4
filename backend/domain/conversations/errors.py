"""Errors of conversations, by the codes of the contract."""

from collections.abc import Iterable

from backend.core.errors import Conflict, Invalid, NotFound


class ConversationClosed(Conflict):
    """No message can be written any more, or not yet."""

    code = "conversation_closed"

    def __init__(self, *, is_over: bool) -> None:
        super().__init__(
            "This conversation is closed. You can still read it."
            if is_over
            else "A conversation opens once a professional is asked for or has accepted the request."
        )


class PhotoNotAllowed(Conflict):
    """Contact details are hidden in this conversation, and a photo can show them."""

    code = "message_photo_not_allowed"

    def __init__(self, *, is_accepted: bool) -> None:
        super().__init__(
            "This marketplace hides contact details, so messages cannot have photos. Add the photo to the request."
            if is_accepted
            else "Messages can have photos once the request is accepted."
        )


class AlreadyReported(Conflict):
    """The caller's report of this conversation is waiting for a decision."""

    code = "conversation_already_reported"

    def __init__(self) -> None:
        super().__init__("You have already reported this conversation. An admin will read it.")


class NothingToReport(Conflict):
    """The conversation has no message."""

    code = "conversation_empty"

    def __init__(self) -> None:
        super().__init__("This conversation has no messages yet.")


class ReportSettled(Conflict):
    """Another admin has settled the report."""

    code = "report_settled"

    def __init__(self) -> None:
        super().__init__("This report has already been settled.")


class ReportNotFound(NotFound):
    """There is no such report."""

    def __init__(self) -> None:
        super().__init__("Report not found.")


def which_conversation(professional_ids: Iterable[int]) -> Invalid:
    """Return the error for a request with several conversations of which none was named."""
    ids = ", ".join(map(str, professional_ids))
    message = f"This request has several conversations. Send the id of one professional: {ids}."
    return Invalid.field("professional_id", message, code="professional_id_required")


def no_such_conversation() -> Invalid:
    """Return the error for a professional with whom there is no conversation about this request."""
    message = "There is no conversation with this professional about this request. Send another id, or none."
    return Invalid.field("professional_id", message, code="no_such_conversation")

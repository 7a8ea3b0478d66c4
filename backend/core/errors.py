"""Errors by kind: those of calls, rendered in one place as RFC 9457 problems, and the two of background work."""

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]


class DomainError(Exception):
    """An error that the client can act on.

    ``code`` is a stable snake_case identifier for programs, ``detail`` a sentence for users that says what to do,
    ``errors`` maps fields to messages, ``retry_after`` is in seconds.
    """

    status = 500
    code = "internal_error"
    title = "Internal server error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: FieldErrors | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or type(self).code
        self.errors = {field: list(messages) for field, messages in errors.items()} if errors else None
        self.retry_after = retry_after


class Malformed(DomainError):
    status, code, title = 400, "malformed", "Bad request"


class Unauthenticated(DomainError):
    status, code, title = 401, "unauthenticated", "Authentication required"


class Forbidden(DomainError):
    status, code, title = 403, "forbidden", "Forbidden"


class NotFound(DomainError):
    """The resource does not exist or is not visible to the caller, who must not be able to distinguish the two."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(DomainError):
    status, code, title = 409, "conflict", "Conflict"


class Gone(DomainError):
    status, code, title = 410, "gone", "Gone"


class Stale(DomainError):
    status, code, title = 412, "stale", "Precondition failed"


class TooLarge(DomainError):
    status, code, title = 413, "too_large", "Content too large"


class UnsupportedType(DomainError):
    status, code, title = 415, "unsupported_type", "Unsupported media type"


class Invalid(DomainError):
    status, code, title = 422, "invalid_fields", "Validation failed"

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> "Invalid":
        """Return the error for one invalid field."""
        return cls(f"{name}: {message}", code=code, errors={name: [message]})


class TooMany(DomainError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(DomainError):
    """A component of the system is unavailable; the caller may retry."""

    status, code, title = 503, "unavailable", "Service unavailable"


class PeerLost(Unavailable):
    """The database, or a store of files, does not answer. The call counts towards no rate limit."""


class Busy(Unavailable):
    """Other calls hold what this one needs. Nothing was changed."""

    code, title = "busy", "Resource busy"


class TimedOut(Unavailable):
    """The database took too long. Nothing was changed."""

    code, title = "timeout", "Timed out"


class OutcomeUnknown(PeerLost):
    """The connection broke during COMMIT: the change may or may not have been saved."""

    code, title = "outcome_unknown", "Outcome unknown"


class RetryLater(Exception):
    """Background work cannot be done now, but may succeed later.

    ``after_seconds`` is the shortest delay, None if the delay is left to the caller.
    ``counts_as_attempt=False`` means that nothing was tried.
    """

    def __init__(self, reason: str, *, after_seconds: int | None = None, counts_as_attempt: bool = True) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.counts_as_attempt = counts_as_attempt


class PermanentFailure(Exception):
    """Background work can never succeed, however often it is repeated."""

"""What can go wrong, by kind. Raised anywhere, rendered once at the edge as RFC 9457 problems."""

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]


class DomainError(Exception):
    """A refusal that its receiver can act on.

    ``code`` is a stable snake_case word for programs, ``detail`` a sentence for people that names the way out,
    ``errors`` maps fields to messages, ``retry_after`` is in seconds.
    """

    status = 500
    code = "internal_error"
    title = "Something went wrong"

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
    status, code, title = 400, "malformed", "The request could not be read"


class Unauthenticated(DomainError):
    status, code, title = 401, "unauthenticated", "Sign in first"


class Forbidden(DomainError):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(DomainError):
    """Not there, or not the caller's to see: the two must not be told apart."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(DomainError):
    status, code, title = 409, "conflict", "In conflict with the present state"


class Gone(DomainError):
    status, code, title = 410, "gone", "No longer available"


class Stale(DomainError):
    status, code, title = 412, "stale", "Changed since it was read"


class TooLarge(DomainError):
    status, code, title = 413, "too_large", "Too large"


class UnsupportedType(DomainError):
    status, code, title = 415, "unsupported_type", "Unsupported type of content"


class Invalid(DomainError):
    status, code, title = 422, "invalid_fields", "Some fields are not right"

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> "Invalid":
        """A refusal of one field."""
        return cls(f"{name}: {message}", code=code, errors={name: [message]})


class TooMany(DomainError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(DomainError):
    """A part of the system is away; the caller may try again."""

    status, code, title = 503, "unavailable", "A part of Doorstep is away"


class Busy(Unavailable):
    """Others hold what the call needs; it changed nothing."""

    code, title = "busy", "Busy"


class TimedOut(Unavailable):
    """The database took too long; the call changed nothing."""

    code, title = "timeout", "Took too long"


class OutcomeUnknown(Unavailable):
    """The connection broke during COMMIT: the change may or may not have been saved."""

    code, title = "outcome_unknown", "Outcome unknown"

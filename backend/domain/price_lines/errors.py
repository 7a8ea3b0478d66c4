"""Errors of price lines, by their codes."""

from decimal import Decimal

from backend.core.errors import Conflict, NotFound
from backend.domain.task_requests.errors import LineDecided

__all__ = ["DiscountTooLarge", "LineAboveCap", "LineDecided", "LineNotFound", "TooManyLines"]


class LineNotFound(NotFound):
    """The line does not exist, or is not visible to the caller."""

    def __init__(self) -> None:
        super().__init__("Price line not found, or you do not have access to it.")


class LineAboveCap(Conflict):
    """With this line, the price lines would add more than the marketplace allows."""

    code = "line_above_cap"

    def __init__(self, percent: int) -> None:
        super().__init__(
            f"Price lines may add at most {percent} percent to the agreed price. Propose a smaller amount."
        )


class DiscountTooLarge(Conflict):
    """With this discount, the total would be below zero."""

    code = "discount_too_large"

    def __init__(self, total: Decimal) -> None:
        super().__init__(f"A discount cannot exceed the total of {total:.2f}. Propose a smaller amount.")


class TooManyLines(Conflict):
    """The request has as many undecided lines as allowed."""

    code = "too_many_lines"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} price lines can wait for a decision. Wait until some are decided.")

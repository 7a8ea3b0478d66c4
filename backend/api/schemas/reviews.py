"""Reviews: written, replied to, reported, listed."""

from typing import TypedDict

from marshmallow import fields

from backend.api.schemas.common import Flag, Id, Strict, StrictInteger, Text, Window, WindowData
from backend.api.schemas.task_requests import RequestReview


class NewReview(Strict):
    """A rating of one to five stars, and a comment."""

    rating = StrictInteger(required=True, min=1, max=5)
    comment = Text(min=0, max=2000, multiline=True, load_default=None, allow_none=True)


class NewReviewData(TypedDict):
    """The loaded :class:`NewReview`."""

    rating: int
    comment: str | None


class Reply(Strict):
    """The professional's reply."""

    reply = Text(min=1, max=2000, multiline=True, required=True)


class ReplyData(TypedDict):
    """The loaded :class:`Reply`."""

    reply: str


class ReviewListed(RequestReview):
    """A review in a list, with its request."""

    request_id = Id(required=True)
    professional_id = Id(required=True)
    task_id = Id(required=True)
    task_name = fields.String(required=True)
    customer_firstname = fields.String(required=True)


class ReviewJudged(ReviewListed):
    """A review with the fields that only admins see."""

    customer_id = Id(required=True)
    report_reason = fields.String(required=True, allow_none=True)
    hidden_reason = fields.String(required=True, allow_none=True)


class ReviewQuery(Window):
    """Filters of the list of reviews."""

    professional_id = Id(load_default=None)
    customer_id = Id(load_default=None)
    task_id = Id(load_default=None)
    reported = Flag(load_default=None)
    hidden = Flag(load_default=None)


class ReviewQueryData(WindowData):
    """The loaded :class:`ReviewQuery`."""

    professional_id: int | None
    customer_id: int | None
    task_id: int | None
    reported: int | None
    hidden: int | None

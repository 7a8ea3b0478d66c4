"""Requests: created, updated, listed and shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import (
    DateTimeField,
    Flag,
    Id,
    Money,
    Pincode,
    RangeBound,
    Reason,
    ReasonData,
    Strict,
    StrictInteger,
    Sum,
    Text,
    Window,
    WindowData,
)
from backend.api.schemas.tasks import PRICING
from backend.core.db.date_range import Bound
from backend.domain.market.settings import CHOICES
from backend.domain.task_requests.lifecycle import (
    PRICE_ACTIONS,
    REASONS,
    TABLE,
    VISIBLE_TO,
    VISIT_ACTIONS,
    Action,
    Status,
)

STATUSES = [status.value for status in Status]
ACTIONS = list(
    dict.fromkeys(rule.action.public for rule in TABLE if rule.who & VISIBLE_TO and None not in rule.sources)
)
VISIT = [name for name in ACTIONS if name in VISIT_ACTIONS]
PRICE = [name for name in ACTIONS if name in PRICE_ACTIONS]
WARNINGS = ["outside_hours", "not_free", "out_of_area", "task_not_done"]


class NewRequest(Strict):
    """A new request. Address and pincode are those of the customer unless given."""

    task_id = Id(required=True)
    date_of_request = DateTimeField(required=True)
    remarks = Text(min=0, max=2000, multiline=True, load_default="", allow_none=True)
    address = Text(max=500, multiline=True, load_default=None, allow_none=True)
    pincode = Pincode(load_default=None, allow_none=True)
    professional_id = Id(load_default=None, allow_none=True)


class NewRequestData(TypedDict):
    """The loaded :class:`NewRequest`."""

    task_id: int
    date_of_request: datetime
    remarks: str | None
    address: str | None
    pincode: str | None
    professional_id: int | None


class RequestEdit(Strict):
    """An update by the customer. ``status`` may only become "completed"."""

    date_of_request = DateTimeField()
    remarks = Text(min=0, max=2000, multiline=True)
    address = Text(max=500, multiline=True)
    pincode = Pincode()
    status = fields.String(
        validate=validate.Equal("completed", error='The only status that can be set here is "completed".')
    )


class RequestEditData(TypedDict):
    """The loaded :class:`RequestEdit`."""

    date_of_request: NotRequired[datetime]
    remarks: NotRequired[str]
    address: NotRequired[str]
    pincode: NotRequired[str]
    status: NotRequired[str]


class RejectReason(Reason):
    """The reason for declining a request."""

    reason_code = fields.String(load_default=None, validate=validate.OneOf(REASONS[Action.REJECT]))


class CodedReasonData(ReasonData):
    """The loaded :class:`RejectReason`, :class:`ReleaseReason` or :class:`CancelReason`."""

    reason_code: str | None


class ReleaseReason(Reason):
    """The reason for releasing an accepted request."""

    reason_code = fields.String(load_default=None, validate=validate.OneOf(REASONS[Action.RELEASE]))


class CancelReason(Reason):
    """The reason for cancelling a request."""

    reason_code = fields.String(load_default=None, validate=validate.OneOf(REASONS[Action.CANCEL]))


class Completion(Strict):
    """The completion of the work. ``at`` is the time of it, for clients that were offline."""

    at = DateTimeField(load_default=None, allow_none=True)


class CompletionData(TypedDict):
    """The loaded :class:`Completion`."""

    at: datetime | None


class Closing(Strict):
    """The remarks on closing a request."""

    remarks = Text(min=0, max=2000, multiline=True, load_default=None, allow_none=True)


class ClosingData(TypedDict):
    """The loaded :class:`Closing`."""

    remarks: str | None


class RequestQuery(Window):
    """Filters of the list. ``scope`` and the last three are for professionals; those three need scope ``open``."""

    scope = fields.String(load_default="open", validate=validate.OneOf(["open", "mine"]))
    status = fields.List(
        fields.String(), load_default=(), validate=validate.ContainsOnly(STATUSES, error="Unknown status.")
    )
    task_id = Id(load_default=None)
    first = RangeBound(data_key="from", load_default=None)
    last = RangeBound(data_key="to", load_default=None)
    professional_id = Id(load_default=None)
    customer_id = Id(load_default=None)
    matching = Flag(load_default=0)
    free = Flag(load_default=0)
    max_km = StrictInteger(min=1, max=5000, load_default=None)


class RequestQueryData(WindowData):
    """The loaded :class:`RequestQuery`."""

    scope: str
    status: Sequence[str]
    task_id: int | None
    first: Bound | None
    last: Bound | None
    professional_id: int | None
    customer_id: int | None
    matching: int
    free: int
    max_km: int | None


class CustomerContact(Strict):
    """The customer's contact details."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)


class ProfessionalContact(Strict):
    """The professional's contact details."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)


class Request(Strict):
    """A request. Professionals see ``address`` and ``customer`` of those they accepted, until 30 days after the end.

    ``total`` is the agreed price with the approved price lines. With ``pricing`` "quote", ``price`` is where offers
    usually begin, until one is accepted.
    Only its customer gets ``start_code``: null unless the professional needs one to start the visit.
    """

    id = Id(required=True)
    task_id = Id(required=True)
    task_name = fields.String(required=True)
    customer_id = Id(required=True)
    professional_id = Id(required=True, allow_none=True)
    asked_professional_id = Id(required=True, allow_none=True)
    asked_until = DateTimeField(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    date_of_request = DateTimeField(required=True)
    price = Money(required=True)
    total = Sum(required=True)
    pricing = fields.String(required=True, validate=PRICING)
    currency = fields.String(required=True)
    time_required = StrictInteger(required=True)
    address = fields.String(required=True, allow_none=True)
    pincode = fields.String(required=True)
    remarks = fields.String(required=True)
    closing_remarks = fields.String(required=True)
    created_at = DateTimeField(required=True)
    updated_at = DateTimeField(required=True)
    accepted_at = DateTimeField(required=True, allow_none=True)
    completed_at = DateTimeField(required=True, allow_none=True)
    closed_at = DateTimeField(required=True, allow_none=True)
    cancelled_at = DateTimeField(required=True, allow_none=True)
    expired_at = DateTimeField(required=True, allow_none=True)
    cancelled_late = fields.Boolean(required=True)
    on_the_way_at = DateTimeField(required=True, allow_none=True)
    arrived_at = DateTimeField(required=True, allow_none=True)
    started_at = DateTimeField(required=True, allow_none=True)
    eta_at = DateTimeField(required=True, allow_none=True)
    on_time_at = DateTimeField(required=True, allow_none=True)
    start_code_policy = fields.String(required=True, allow_none=True, validate=validate.OneOf(CHOICES["start_code"]))
    start_code = fields.String(allow_none=True, validate=validate.Regexp("^[0-9]{4}$"))
    reviewed = fields.Boolean(required=True)
    customer = fields.Nested(CustomerContact, required=True, allow_none=True)
    professional = fields.Nested(ProfessionalContact, required=True, allow_none=True)
    allowed_actions = fields.List(
        fields.String(validate=validate.OneOf([name for name in ACTIONS if name not in (*VISIT, *PRICE)])),
        required=True,
    )
    visit_actions = fields.List(
        fields.String(validate=validate.OneOf(VISIT)),
        required=True,
        metadata={"description": "What may be done about the visit now, while the request is accepted."},
    )
    price_actions = fields.List(
        fields.String(validate=validate.OneOf(PRICE)),
        required=True,
        metadata={"description": "What may be done about the price now."},
    )
    distance_km = fields.Float(required=True, allow_none=True)
    unread_messages = StrictInteger(required=True)
    warnings = fields.List(fields.String(validate=validate.OneOf(WARNINGS)), required=True)


class HistoryEntry(Strict):
    """One change of a request."""

    at = DateTimeField(required=True)
    action = fields.String(required=True)
    actor_id = Id(required=True, allow_none=True)
    actor_role = fields.String(required=True)
    from_status = fields.String(data_key="from", required=True, allow_none=True)
    to_status = fields.String(data_key="to", required=True)
    note = fields.String(required=True, allow_none=True)
    changes = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class RequestReview(Strict):
    """The customer's review, and the professional's reply."""

    rating = StrictInteger(required=True, min=1, max=5)
    comment = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    reply = fields.String(required=True, allow_none=True)
    replied_at = DateTimeField(required=True, allow_none=True)
    reported = fields.Boolean(required=True)
    hidden = fields.Boolean(required=True)


class RequestDetail(Request):
    """A request with its history and review."""

    history = fields.List(fields.Nested(HistoryEntry), required=True)
    review = fields.Nested(RequestReview, required=True, allow_none=True)


class InboxCounts(Strict):
    """Counts of a professional's inbox. ``new``: matching requests since it was last viewed."""

    waiting = StrictInteger(required=True)
    matching = StrictInteger(required=True)
    new = StrictInteger(required=True)
    seen_at = DateTimeField(required=True, allow_none=True)

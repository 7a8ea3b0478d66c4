"""Tasks."""

from decimal import Decimal
from typing import NotRequired, TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Flag, Id, Money, Strict, StrictInteger, Text, Window, WindowData
from backend.domain.tasks.pictures import PICTURES

PRICING = validate.OneOf(["fixed", "quote"])


class NewTask(Strict):
    """A new task. The domain checks that the name is unique."""

    name = Text(required=True)
    description = Text(max=2000, multiline=True, required=True)
    category = Text(required=True)
    base_price = Money(required=True)
    pricing = fields.String(load_default="fixed", validate=PRICING)
    time_required = StrictInteger(min=5, max=1440, required=True)
    isactive = Flag(load_default=1)
    picture = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(PICTURES))
    search_words = fields.List(Text(), load_default=list, validate=validate.Length(max=20))


class NewTaskData(TypedDict):
    """The loaded :class:`NewTask`."""

    name: str
    description: str
    category: str
    base_price: Decimal
    pricing: str
    time_required: int
    isactive: int
    picture: str | None
    search_words: list[str]


class TaskEdit(Strict):
    """An update of a task. Omitted fields are not changed."""

    name = Text()
    description = Text(max=2000, multiline=True)
    category = Text()
    base_price = Money()
    pricing = fields.String(validate=PRICING)
    time_required = StrictInteger(min=5, max=1440)
    isactive = Flag()
    picture = fields.String(allow_none=True, validate=validate.OneOf(PICTURES))
    search_words = fields.List(Text(), validate=validate.Length(max=20))


class TaskEditData(TypedDict):
    """The loaded :class:`TaskEdit`."""

    name: NotRequired[str]
    description: NotRequired[str]
    category: NotRequired[str]
    base_price: NotRequired[Decimal]
    pricing: NotRequired[str]
    time_required: NotRequired[int]
    isactive: NotRequired[int]
    picture: NotRequired[str | None]
    search_words: NotRequired[list[str]]


class Task(Strict):
    """A task. With ``pricing`` "quote" professionals make offers, and ``base_price`` is where they usually begin.

    ``rating`` is the mean of its reviews; search words and archived_at are present for admins only."""

    id = Id(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    category = fields.String(required=True)
    base_price = Money(required=True)
    pricing = fields.String(required=True, validate=PRICING)
    currency = fields.String(required=True)
    time_required = StrictInteger(required=True)
    isactive = Flag(required=True)
    rating = fields.Float(required=True, allow_none=True)
    reviews = StrictInteger(required=True)
    professionals = StrictInteger(required=True)
    picture = fields.String(required=True, allow_none=True)
    search_words = fields.List(fields.String())
    archived_at = DateTimeField(allow_none=True)


class TaskFilter(Window):
    """Filters of the list of tasks."""

    category = Text(load_default=None)
    q = Text(load_default=None)


class TaskFilterData(WindowData):
    """The loaded :class:`TaskFilter`."""

    category: str | None
    q: str | None

"""Favourites, users who are not matched again, and what a request is sent again with."""

from marshmallow import fields

from backend.api.schemas.common import DateTimeField, Flag, Id, Strict, StrictInteger


class Favourite(Strict):
    """A professional whom the customer keeps. ``available``: active, and matched with the customer."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    exp = StrictInteger(required=True)
    rating = fields.Float(required=True, allow_none=True)
    reviews = StrictInteger(required=True)
    photo_url = fields.String(required=True, allow_none=True)
    available = Flag(required=True)
    created_at = DateTimeField(required=True)


class ExclusionRequest(Strict):
    """The latest request of the two at the time."""

    id = Id(required=True)
    task_name = fields.String(required=True)
    date_of_request = DateTimeField(required=True)


class Exclusion(Strict):
    """A user with whom the caller is not matched again. Professionals do not get the customer's name."""

    id = Id(required=True)
    firstname = fields.String(required=True, allow_none=True)
    compname = fields.String(required=True, allow_none=True)
    request = fields.Nested(ExclusionRequest, required=True)
    created_at = DateTimeField(required=True)


class AskedProfessional(Strict):
    """The professional of the request. ``available``: can be asked for again."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    available = Flag(required=True)


class RequestAgain(Strict):
    """What a new request like an ended one starts with. ``available``: the task is still offered."""

    task_id = Id(required=True)
    task_name = fields.String(required=True)
    available = Flag(required=True)
    address = fields.String(required=True)
    pincode = fields.String(required=True)
    remarks = fields.String(required=True)
    professional = fields.Nested(AskedProfessional, required=True, allow_none=True)

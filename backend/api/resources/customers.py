"""Customers as admins see them."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.resources.people import answer_one, present_person
from backend.api.schemas import people as schemas
from backend.api.wire import Reply
from backend.core.authz import Actor, Role
from backend.core.errors import NotFound
from backend.core.pagination import Page, Window
from backend.domain.accounts import finding
from backend.domain.audit.actions import record_read


class Customers(Resource):
    @endpoint(summary="Customers", who=ADMINS, query=schemas.Customers(), response=schemas.Person(), paged=True)
    def get(self, actor: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The newest first; with words the likeliest first. Reading them is in the audit trail, once an hour."""
        window = Window(query.pop("limit"), query.pop("cursor"))
        page = finding.customers(filters=finding.Filters(**query), window=window)
        record_read(actor, "people_listed", subject_kind="customers")
        return Page([present_person(account) for account in page.items], page.next_cursor)


class OneCustomer(Resource):
    @endpoint(summary="One customer", who=ADMINS, response=schemas.OnePerson(), errors=(NotFound,))
    def get(self, actor: Actor, customer_id: int) -> Reply:
        """With figures, the latest reviews given, and what was done to the account."""
        return answer_one(actor, customer_id, role=Role.CUSTOMER)

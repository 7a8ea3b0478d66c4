"""Calls for working hours, the agenda, available times, and cancellation statistics."""

from collections.abc import Sequence

from backend.api.auth import ADMINS, CUSTOMERS, PROFESSIONALS, VISITORS
from backend.api.endpoint import Resource, endpoint
from backend.api.presenters import task_requests as present
from backend.api.responses import ApiResponse, lock_and_check, versioned_by_content
from backend.api.schemas import scheduling as schemas
from backend.core.config import current_settings
from backend.core.db.date_range import date_range
from backend.core.db.pagination import Page, Window
from backend.core.errors import Forbidden, Invalid, NotFound, Stale, Unauthenticated
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions as accounts
from backend.domain.scheduling import agenda, time_slots, working_hours
from backend.domain.task_requests import statistics


def format_minute(minute: int) -> str:
    """Return a minute of a day as HH:MM."""
    return f"{minute // 60:02}:{minute % 60:02}"


def present_ranges(ranges: Sequence[working_hours.Minutes]) -> list[dict[str, str]]:
    """Return ranges of a day as in responses."""
    return [{"from": format_minute(begins), "to": format_minute(ends)} for begins, ends in sorted(ranges)]


def present_hours(account_id: int) -> dict[str, object]:
    """Return a professional's working hours as in responses."""
    hours = working_hours.get(account_id)
    return {
        "weekly": [
            {"weekday": day, **one} for day in sorted(hours.weekly) for one in present_ranges(hours.weekly[day])
        ],
        "exceptions": [{"date": day, "hours": present_ranges(ranges)} for day, ranges in sorted(hours.days.items())],
        "usual": present_ranges([hours.usual])[0],
        "timezone": str(hours.zone),
    }


class MyHours(Resource):
    @endpoint(summary="Get my working hours", who=PROFESSIONALS, response=schemas.WorkingHoursShown())
    def get(self, actor: Actor) -> ApiResponse:
        """Weekly hours in the marketplace's time zone, and exceptions by date."""
        return versioned_by_content(present_hours(actor.account_id))

    @endpoint(
        summary="Update my working hours",
        who=PROFESSIONALS,
        body=schemas.WorkingHours(),
        response=schemas.WorkingHoursShown(),
        errors=(Invalid, Stale),
    )
    def put(self, actor: Actor, *, body: schemas.WorkingHoursData) -> ApiResponse:
        """Replaces all working hours.

        They determine the times offered to customers; you can still accept requests at other times.
        """
        lock_and_check(lambda: present_hours(actor.account_id), lock=lambda: accounts.hold(actor.account_id))
        weekly = [(one["weekday"], one["begins"], one["ends"]) for one in body["weekly"]]
        days = {entry["date"]: [(one["begins"], one["ends"]) for one in entry["hours"]] for entry in body["exceptions"]}
        if len(days) < len(body["exceptions"]):
            raise Invalid.field("exceptions", "Each date can be given only once.")
        working_hours.replace(actor, weekly=weekly, days=days)
        return versioned_by_content(present_hours(actor.account_id))


class MyAgenda(Resource):
    @endpoint(
        summary="Get my agenda",
        who=PROFESSIONALS,
        query=schemas.AgendaQuery(),
        response=schemas.Agenda(),
        errors=(Invalid,),
    )
    def get(self, actor: Actor, *, query: schemas.AgendaQueryData) -> dict[str, object]:
        """For each day, the working hours and the requests that start on it."""
        days = agenda.get(actor, first=query["first"], last=query["last"])
        items = [
            {
                "date": day.day,
                "hours": present_ranges(day.hours),
                "exception": day.is_exception,
                "requests": present.requests(actor, day.requests),
            }
            for day in days
        ]
        return {"items": items, "timezone": current_settings().market_timezone}


class TaskTimes(Resource):
    @endpoint(
        summary="List available times",
        who=VISITORS,
        query=schemas.TimesQuery(),
        response=schemas.OfferedTimes(),
        errors=(NotFound, Invalid, Unauthenticated, Forbidden),
        rate_limit="times_rate_limit",
    )
    def get(self, actor: Actor | None, *, task_id: int, query: schemas.TimesQueryData) -> dict[str, object]:
        """Returns the times available on one day at one pincode. Only customers can filter by professional."""
        if query["professional_id"] is not None:
            CUSTOMERS.check(actor)
        slots = time_slots.find(
            task_id=task_id,
            pincode=query["pincode"],
            day=query["date"],
            customer_id=actor.id if actor is not None and actor.role is Role.CUSTOMER else None,
            professional_id=query["professional_id"],
        )
        return {"items": [slot._asdict() for slot in slots], "timezone": current_settings().market_timezone}


class Reliability(Resource):
    @endpoint(
        summary="List cancellation and release statistics",
        who=ADMINS,
        query=schemas.ReliabilityQuery(),
        response=schemas.Reliability(),
        paged=True,
    )
    def get(self, _: Actor, *, query: schemas.ReliabilityQueryData) -> Page[dict[str, object]]:
        """Sorted by frequency, highest first."""
        filters = statistics.ReliabilityFilters(
            dates=date_range(query["first"], query["last"], zone=current_settings().zone),
            role=query["role"],
            account_id=query["account_id"],
            least=query["least"],
        )
        found = statistics.page(filters=filters, window=Window(query["limit"], query["cursor"]))
        return Page([row._asdict() for row in found.items], found.next_cursor)

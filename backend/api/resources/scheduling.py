"""Working hours, agenda, available times, and cancellation statistics."""

from collections.abc import Sequence
from typing import Any

from backend.api.auth import ADMINS, CUSTOMERS, PROFESSIONALS, VISITORS
from backend.api.endpoint import Resource, endpoint
from backend.api.presenters import task_requests as present
from backend.api.responses import ApiResponse, lock_and_check, versioned_by_content
from backend.api.schemas import scheduling as schemas
from backend.core.config import current_settings
from backend.core.db.date_range import date_range
from backend.core.db.pagination import Page, Window
from backend.core.errors import Forbidden, Invalid, NotFound, Stale, Unauthenticated
from backend.core.security.authz import Actor
from backend.domain.accounts import actions as accounts
from backend.domain.scheduling import agenda, time_slots, working_hours
from backend.domain.task_requests import statistics


def clock(minute: int) -> str:
    """Return minutes since midnight as a time of day such as "09:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def spans(found: Sequence[working_hours.Minutes]) -> list[dict[str, str]]:
    """Return time ranges of a day as a response body."""
    return [{"from": clock(begins), "to": clock(ends)} for begins, ends in sorted(found)]


def shown(working: working_hours.Hours) -> dict[str, Any]:
    """Return a professional's working hours as a response body."""
    return {
        "weekly": [{"weekday": day, **span} for day in sorted(working.weekly) for span in spans(working.weekly[day])],
        "exceptions": [{"date": day, "hours": spans(working.days[day])} for day in sorted(working.days)],
        "usual": spans([working.usual])[0],
        "timezone": str(working.zone),
    }


class MyHours(Resource):
    @endpoint(summary="Get my working hours", who=PROFESSIONALS, response=schemas.WorkingHoursShown())
    def get(self, actor: Actor) -> ApiResponse:
        """Weekly hours in the marketplace's time zone, and exceptions by date."""
        return versioned_by_content(shown(working_hours.of(actor.account_id)))

    @endpoint(
        summary="Update my working hours",
        who=PROFESSIONALS,
        body=schemas.WorkingHours(),
        response=schemas.WorkingHoursShown(),
        errors=(Invalid, Stale),
    )
    def put(self, actor: Actor, *, body: dict[str, Any]) -> ApiResponse:
        """Replaces all working hours.

        They determine the times offered to customers; you can still accept requests at other times.
        """
        lock_and_check(lambda: shown(working_hours.of(actor.account_id)), lock=lambda: accounts.hold(actor.account_id))
        weekly = [(span["weekday"], span["begins"], span["ends"]) for span in body["weekly"]]
        days = {entry["date"]: [(s["begins"], s["ends"]) for s in entry["hours"]] for entry in body["exceptions"]}
        if len(days) < len(body["exceptions"]):
            raise Invalid.field("exceptions", "Each date can be given only once.")
        working_hours.replace(actor, weekly=weekly, days=days)
        return versioned_by_content(shown(working_hours.of(actor.account_id)))


class MyAgenda(Resource):
    @endpoint(
        summary="Get my agenda",
        who=PROFESSIONALS,
        query=schemas.AgendaQuery(),
        response=schemas.Agenda(),
        errors=(Invalid,),
    )
    def get(self, actor: Actor, *, query: dict[str, Any]) -> dict[str, Any]:
        """For each day, the working hours and the requests that start on it."""
        days = agenda.of(actor, first=query["first"], last=query["last"])
        items = [
            {
                "date": day.day,
                "hours": spans(day.hours),
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
    def get(self, actor: Actor | None, *, task_id: int, query: dict[str, Any]) -> dict[str, Any]:
        """Returns the times available on one day at one pincode. Only customers can filter by professional."""
        if query["professional_id"] is not None:
            CUSTOMERS.check(actor)
        found = time_slots.times(
            task_id=task_id,
            pincode=query["pincode"],
            day=query["date"],
            professional_id=query["professional_id"],
        )
        return {"items": found, "timezone": current_settings().market_timezone}


class Reliability(Resource):
    @endpoint(
        summary="List cancellation and release statistics",
        who=ADMINS,
        query=schemas.ReliabilityQuery(),
        response=schemas.Reliability(),
        paged=True,
    )
    def get(self, _: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Sorted by frequency, highest first."""
        filters = statistics.ReliabilityFilters(
            span=date_range(query["first"], query["last"], zone=current_settings().zone),
            role=query["role"],
            account_id=query["account_id"],
            least=query["least"],
        )
        found = statistics.page(filters=filters, window=Window(query["limit"], query["cursor"]))
        return Page([row._asdict() for row in found.items], found.next_cursor)

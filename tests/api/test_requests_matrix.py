"""Every action from every state by every kind of caller, generated from the state table."""

from dataclasses import dataclass
from itertools import count

import pytest

from backend.core.db.session import transaction
from backend.domain.task_requests.bulk import expire_due
from backend.domain.task_requests.lifecycle import Action, Facts, Relation, Status
from tests.factories.lifecycle import VERBS, expected
from tests.factories.requests import WHY, RequestMarket, at, do, moment
from tests.factories.users import User, Users
from tests.factories.visits import note_reminder

KINDS = (
    "its customer",
    "its professional",
    "another professional",
    "without the task",
    "who rejected it",
    "customer",
    "admin",
)
VISIBLE = {Relation.CUSTOMER, Relation.PROFESSIONAL, Relation.CANDIDATE, Relation.VIEWER}


@dataclass
class Callers:
    """One user of each kind, and a counter that gives each request its own time."""

    market: RequestMarket
    users: dict[str, User]
    hours: "count[int]"

    def request_in(self, status: Status) -> int:
        """Return the id of a new request in this status, declined by "who rejected it"."""
        customer, professional = self.users["its customer"], self.users["its professional"]
        made = self.market.ask(customer, date_of_request=at(days=10, hours=2 * next(self.hours)))
        path = f"/requests/{made['id']}"
        do(self.users["who rejected it"], f"{path}/reject", WHY)
        if status in (Status.ACCEPTED, Status.COMPLETED, Status.CLOSED, Status.CANCELLED):
            do(professional, f"{path}/accept")
        if status in (Status.COMPLETED, Status.CLOSED):
            do(professional, f"{path}/complete")
        if status is Status.CLOSED:
            do(professional, f"{path}/close")
        if status is Status.CANCELLED:
            do(customer, f"{path}/cancel", WHY)
        if status is Status.EXPIRED:
            with transaction():
                expire_due(moment(days=1000))
        note_reminder(made["id"])
        return int(made["id"])


@pytest.fixture
def callers(users: Users) -> Callers:
    market = RequestMarket(users)
    everyone = {
        "its customer": users.customer(),
        "its professional": market.professional(),
        "another professional": market.professional(),
        "without the task": users.professional(),
        "who rejected it": market.professional(),
        "customer": users.customer(),
        "admin": users.admin(),
    }
    return Callers(market, everyone, count(1))


def relation(kind: str, status: Status) -> Relation:
    """Return the relation of a kind of caller to a request made by `request_in`."""
    waiting = status is Status.REQUESTED
    if kind == "its professional" and status not in (Status.REQUESTED, Status.EXPIRED):
        return Relation.PROFESSIONAL
    return {
        "its customer": Relation.CUSTOMER,
        "customer": Relation.NONE,
        "who rejected it": Relation.NONE,
        "admin": Relation.ADMIN,
        "without the task": Relation.VIEWER if waiting else Relation.MISSED,
    }.get(kind, Relation.CANDIDATE if waiting else Relation.MISSED)


@pytest.mark.parametrize("status", list(Status))
def test_request_action_in_status_by_every_caller_matches_state_table(callers: Callers, status: Status) -> None:
    wrong: list[tuple[object, ...]] = []
    request_id = callers.request_in(status)  # a request is used again as long as no action changed it
    for kind in KINDS:
        who, is_what = callers.users[kind], relation(kind, status)
        done = set()
        for action, (method, path, body) in VERBS.items():
            sent = {"date_of_request": at(days=500, hours=2 * next(callers.hours))} if action is Action.MOVE else body
            answer = getattr(who, method)(f"/requests/{request_id}{path}", sent)
            code = answer.json.get("code") if answer.status_code >= 400 else None
            should = expected(action, who.role, is_what, status, Facts(reminded=True))
            if (answer.status_code, code) != should:
                wrong.append((kind, action, (answer.status_code, code), should))
            if answer.status_code < 300:
                done.add(action.public)
                request_id = callers.request_in(status)
        if is_what in VISIBLE:
            seen = who.get(f"/requests/{request_id}").json
            allowed = {*seen["allowed_actions"], *seen["visit_actions"]}
            if allowed != done:
                wrong.append((kind, Action.EDIT, tuple(sorted(allowed)), tuple(sorted(done))))
    assert wrong == []

"""How many statements the calls that are made most often run: the numbers of today, so that one more is noticed.

Each is counted in the steady state: the visit is noted, the read access recorded, but no response is cached. Who needs
fewer statements lowers the number here; who needs more gives the reason in the commit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from flask import Flask

from backend.core.cache import CATALOGUE, versions
from backend.core.db.session import db, transaction
from tests.api.route_table import TABLE
from tests.api.scene import Scene, staged
from tests.api.test_route_matrix import call, describe
from tests.factories.queries import count_queries

CUSTOMER: Final = "customer concerned"
PROFESSIONAL: Final = "professional concerned"
ADMIN: Final = "admin"
VISITOR: Final = "nobody"


@dataclass(frozen=True)
class Hot:
    """A call of the route table, perhaps with another query, by a caller; and its number of statements."""

    route: str
    caller: str
    statements: int
    query: str | None = None


HOT: Final[dict[str, Hot]] = {
    # Accounts
    "sign in": Hot("POST /check", VISITOR, 4),
    "refresh": Hot("POST /token/refresh", CUSTOMER, 3),
    "sign out": Hot("POST /logout", CUSTOMER, 2),
    "my account, customer": Hot("GET /me", CUSTOMER, 2),
    "my account, professional": Hot("GET /me", PROFESSIONAL, 3),
    # Catalogue
    "tasks": Hot("GET /tasks", VISITOR, 1),
    "task": Hot("GET /tasks/<id:task_id>", VISITOR, 1),
    "search by words": Hot("GET /search", VISITOR, 1, "q=plumbing"),
    "search by words that are misspelt": Hot("GET /search", VISITOR, 1, "q=plumbign"),
    "search by place": Hot("GET /search", VISITOR, 1, "pincode=560001"),
    "search by name of a place": Hot("GET /search", VISITOR, 2, "location=Bengaluru"),
    "search by place, words and radius": Hot("GET /search", VISITOR, 1, "q=plumbing&pincode=560001&radius_km=50"),
    "professionals for a task": Hot("GET /tasks/<id:task_id>/professionals", CUSTOMER, 4, "pincode=560001"),
    "available times": Hot("GET /tasks/<id:task_id>/times", VISITOR, 6),
    "policy of a task": Hot("GET /tasks/<id:task_id>/policy", CUSTOMER, 4),
    "places": Hot("GET /places", VISITOR, 1),
    "public profile": Hot("GET /profiles/<id:professional_id>", VISITOR, 1),
    "reviews of a profile": Hot("GET /profiles/<id:professional_id>/reviews", VISITOR, 1),
    "photo of a profile": Hot("GET /profiles/<id:professional_id>/photo/<string:digest>", VISITOR, 1),
    "page of a professional": Hot("GET /app/professionals/<id:professional_id>", VISITOR, 2),
    "page of a task": Hot("GET /app/tasks/<id:task_id>", VISITOR, 1),
    "my profile": Hot("GET /me/profile", PROFESSIONAL, 4),
    # Every action of the state table
    "send a request": Hot("POST /requests", CUSTOMER, 10),
    "edit": Hot("PATCH /requests/<id:request_id>", CUSTOMER, 6),
    "accept": Hot("POST /requests/<id:request_id>/accept", PROFESSIONAL, 8),
    "decline": Hot("POST /requests/<id:request_id>/reject", PROFESSIONAL, 4),
    "release": Hot("POST /requests/<id:request_id>/release", PROFESSIONAL, 8),
    "on the way": Hot("POST /requests/<id:request_id>/on_the_way", PROFESSIONAL, 7),
    "start": Hot("POST /requests/<id:request_id>/start", CUSTOMER, 6),
    "shared visit": Hot("GET /visits/<string:token>", VISITOR, 1),
    "offers": Hot("GET /requests/<id:request_id>/offers", CUSTOMER, 3),
    "make an offer": Hot("POST /requests/<id:request_id>/offers", PROFESSIONAL, 11),
    "accept an offer": Hot("POST /requests/<id:request_id>/offers/<id:offer_id>/accept", CUSTOMER, 10),
    "price lines": Hot("GET /requests/<id:request_id>/price_lines", CUSTOMER, 4),
    "propose a price line": Hot("POST /requests/<id:request_id>/price_lines", PROFESSIONAL, 8),
    "approve a price line": Hot("POST /requests/<id:request_id>/price_lines/<id:line_id>/approve", CUSTOMER, 9),
    "complete": Hot("POST /requests/<id:request_id>/complete", PROFESSIONAL, 8),
    "close": Hot("POST /requests/<id:request_id>/close", CUSTOMER, 6),
    "cancel": Hot("POST /requests/<id:request_id>/cancel", CUSTOMER, 7),
    "review": Hot("POST /requests/<id:request_id>/review", CUSTOMER, 10),
    "reply to a review": Hot("POST /requests/<id:request_id>/review/reply", PROFESSIONAL, 4),
    # Lists and pages of requests
    "requests of a customer": Hot("GET /requests", CUSTOMER, 2),
    "inbox": Hot("GET /requests", PROFESSIONAL, 3, "scope=open"),
    "requests of a professional": Hot("GET /requests", PROFESSIONAL, 2, "scope=mine"),
    "all requests": Hot("GET /requests", ADMIN, 3),
    "request, customer": Hot("GET /requests/<id:request_id>", CUSTOMER, 3),
    "request, professional": Hot("GET /requests/<id:request_id>", PROFESSIONAL, 4),
    "request, admin": Hot("GET /requests/<id:request_id>", ADMIN, 4),
    "inbox counts": Hot("GET /me/inbox", PROFESSIONAL, 2),
    "mark the inbox as viewed": Hot("POST /me/inbox", PROFESSIONAL, 3),
    "agenda": Hot("GET /me/agenda", PROFESSIONAL, 3),
    "my reviews": Hot("GET /me/reviews", PROFESSIONAL, 2),
    "activity of a request": Hot("GET /requests/<id:request_id>/activity", ADMIN, 9),
    # Conversations
    "messages": Hot("GET /requests/<id:request_id>/messages", CUSTOMER, 3),
    "messages, newest first": Hot("GET /requests/<id:request_id>/messages", PROFESSIONAL, 3, "order=newest"),
    "messages, admin": Hot("GET /requests/<id:request_id>/messages", ADMIN, 4),
    "write a message": Hot("POST /requests/<id:request_id>/messages", CUSTOMER, 3),
    "mark messages as read": Hot("POST /requests/<id:request_id>/messages/read", PROFESSIONAL, 4),
    "conversations about a request": Hot("GET /requests/<id:request_id>/conversations", CUSTOMER, 3),
    "my conversations": Hot("GET /me/conversations", CUSTOMER, 3),
    "unread messages": Hot("GET /me/conversations", PROFESSIONAL, 3, "unread=1&limit=1"),
    "reported conversations": Hot("GET /conversation_reports", ADMIN, 2),
    # Favourites
    "favourites": Hot("GET /me/favourites", CUSTOMER, 2),
    "exclusions": Hot("GET /me/exclusions", PROFESSIONAL, 2),
    "request sent again": Hot("GET /requests/<id:request_id>/again", CUSTOMER, 5),
    # Notifications
    "notifications": Hot("GET /notifications", CUSTOMER, 2),
    "unread notifications": Hot("GET /notifications", CUSTOMER, 2, "unread=1&limit=1"),
    "mark notifications as read": Hot("POST /notifications/read", CUSTOMER, 3),
    # Administration
    "dashboard": Hot("GET /stats", ADMIN, 1),
    "professionals": Hot("GET /professionals", ADMIN, 4),
    "professionals by name": Hot("GET /professionals", ADMIN, 5, "q=rao"),
    "approvals queue": Hot("GET /professionals", ADMIN, 4, "approval=pending&sort=waiting"),
    "professional": Hot("GET /professionals/<id:professional_id>", ADMIN, 8),
    "approve": Hot("POST /professionals/<id:professional_id>/approve", ADMIN, 18),
    "photos of a request": Hot("GET /requests/<id:request_id>/photos", CUSTOMER, 3),
    "photo of a request": Hot("GET /photos/<id:photo_id>", PROFESSIONAL, 3),
    "photo queue": Hot("GET /profile_photos", ADMIN, 2),
    "customers": Hot("GET /customers", ADMIN, 3),
    "customer": Hot("GET /customers/<id:customer_id>", ADMIN, 7),
    "reviews": Hot("GET /reviews", ADMIN, 2),
    "audit trail": Hot("GET /audit", ADMIN, 3),
    "exports": Hot("GET /exports", ADMIN, 2),
    "export being polled": Hot("GET /exports/<id:export_id>", ADMIN, 2),
    "jobs": Hot("GET /jobs", ADMIN, 6),
    "deliveries": Hot("GET /deliveries", ADMIN, 2),
}


@pytest.fixture(scope="module")
def scene(shared_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(shared_app, tmp_path_factory.mktemp("dist")) as built:
        yield built


@pytest.mark.parametrize("name", HOT)
def test_hot_path_runs_the_number_of_statements_of_its_row(name: str, scene: Scene) -> None:
    hot = HOT[name]
    row = TABLE[hot.route]
    row = row if hot.query is None else replace(row, query=hot.query)
    call(hot.route, row, scene, hot.caller)  # what is done once, such as recording that an admin read a list
    scene.snapshot.restore()
    with transaction():
        versions.change(CATALOGUE)  # nothing is answered from the cache
    db.session.remove()
    with count_queries() as counted:
        response = call(hot.route, row, scene, hot.caller)
    scene.snapshot.restore()
    assert response.status_code == row.status, describe(response)
    statements = "\n".join(statement.strip()[:200] for statement in counted.statements)
    assert counted.number == hot.statements, f"{counted.number} statements:\n{statements}"

"""The link that shares a visit: what it shows, to whom, and when it ends."""

import json
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.api.errors import loggable_path
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.visits import links
from backend.domain.visits.models import VisitLink
from tests.factories.requests import WHY, at, do
from tests.factories.users import Users, Visitor
from tests.factories.visits import Visit


@pytest.fixture
def visit(users: Users) -> Visit:
    return Visit(users, address="7 Residency Road", remarks="The blue gate")


def share(visit: Visit) -> str:
    """Return the path of the call that reads a new link's visit."""
    link = do(visit.asha, f"{visit.path}/visit_link")
    prefix = f"{visit.market.users.app.extensions['settings'].public_url}/app/visit/"
    assert link["url"].startswith(prefix)
    return f"/visits/{link['url'].removeprefix(prefix)}"


@pytest.fixture
def visitor(users: Users) -> Visitor:
    return users.visitor()


def end_at(visit: Visit, moment: datetime) -> None:
    """Let the planned end of the work be at this time."""
    with transaction():
        planned = text("UPDATE task_requests SET date_of_request = :at - time_required * interval '1 minute'")
        db.session.execute(planned, {"at": moment})


def test_link_shows_timeline_without_contact_data(visit: Visit, visitor: Visitor) -> None:
    about = ((visit.asha, "Venkataraman", "+919876543210"), (visit.ravi, "Mukherjee", "+919876543211"))
    for who, lastname, phone in about:
        assert who.patch("/me", {"lastname": lastname, "phone": phone}).status_code == 200
    path = share(visit)
    do(visit.ravi, f"{visit.path}/on_the_way", {"eta_minutes": 20})
    answer = visitor.get(path)
    assert answer.status_code == 200
    shown = answer.json
    assert set(shown) == {
        "task_name", "status", "date_of_request", "time_required", "professional", "on_the_way_at", "eta_at",
        "on_time_at", "arrived_at", "started_at", "completed_at", "expires_at",
    }  # fmt: skip
    assert (shown["task_name"], shown["status"], shown["arrived_at"]) == ("Plumbing", "accepted", None)
    ravi = {"id": visit.ravi.id, "firstname": "Ravi", "compname": "Rao and Sons", "photo_url": None}
    assert shown["professional"] == ravi
    assert visitor.get(f"/profiles/{visit.ravi.id}").json["firstname"] == "Ravi"
    assert shown["eta_at"] > shown["on_the_way_at"]
    account = visit.ravi.get("/me").json
    customer = visit.asha.get("/me").json
    hidden = [
        "Venkataraman",
        "Mukherjee",
        "98765",
        "7 Residency Road",
        "560001",
        "blue gate",
        account["email"],
        account["username"],
        customer["email"],
    ]
    assert not [secret for secret in hidden if secret in json.dumps(shown)]


def test_link_is_kept_out_of_caches_referrers_and_search_engines(visit: Visit, visitor: Visitor) -> None:
    answer = visitor.get(share(visit))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_only_digest_of_token_is_kept(visit: Visit) -> None:
    token = share(visit).rpartition("/")[2]
    assert len(token) >= 43
    (kept,) = db.session.execute(select(VisitLink.token_hash)).scalars()
    assert kept != token
    assert len(kept) == 64
    known = visit.asha.get(f"{visit.path}/visit_link").json
    assert (known["active"], known["url"]) == (True, None)


def test_new_link_replaces_earlier_one_and_can_be_ended(visit: Visit, visitor: Visitor) -> None:
    first, second = share(visit), share(visit)
    assert [visitor.get(path).status_code for path in (first, second)] == [404, 200]
    assert visit.asha.delete(f"{visit.path}/visit_link").status_code == 204
    assert visit.asha.delete(f"{visit.path}/visit_link").status_code == 204
    assert visitor.get(second).status_code == 404
    assert visit.asha.get(f"{visit.path}/visit_link").json["active"] is False


def test_link_ends_two_hours_after_planned_end(visit: Visit, visitor: Visitor) -> None:
    path = share(visit)
    end_at(visit, now() - timedelta(hours=1, minutes=59))
    assert visitor.get(path).status_code == 200
    end_at(visit, now() - timedelta(hours=2, minutes=1))
    assert visitor.get(path).status_code == 404
    assert visit.asha.post(f"{visit.path}/visit_link").json["code"] == "visit_not_shareable"


def test_link_ends_when_request_is_cancelled(visit: Visit, visitor: Visitor) -> None:
    path = share(visit)
    do(visit.asha, f"{visit.path}/cancel", WHY)
    assert visitor.get(path).status_code == 404


def test_link_follows_release_and_move_of_request(visit: Visit, visitor: Visitor) -> None:
    path = share(visit)
    do(visit.ravi, f"{visit.path}/arrive")
    do(visit.ravi, f"{visit.path}/release", WHY)
    shown = visitor.get(path).json
    assert (shown["status"], shown["professional"], shown["arrived_at"]) == ("requested", None, None)
    visit.asha.patch(visit.path, {"date_of_request": at(days=5)})
    do(visit.ravi, f"{visit.path}/accept")
    again = visitor.get(path).json
    assert (again["status"], again["professional"]["firstname"]) == ("accepted", "Ravi")
    assert again["expires_at"][:10] == at(days=5, hours=3)[:10]


def test_link_needs_accepted_request_of_the_caller(visit: Visit, users: Users, visitor: Visitor) -> None:
    waiting = visit.market.ask(visit.asha, date_of_request=at(days=4))
    refused = visit.asha.post(f"/requests/{waiting['id']}/visit_link")
    assert (refused.status_code, refused.json["code"]) == (409, "visit_not_shareable")
    for call in (users.customer().post, users.customer().get, users.customer().delete):
        assert call(f"{visit.path}/visit_link").status_code == 404
    for token in ("x", "A" * 43, "%00", "é" * 40):
        assert visitor.get(f"/visits/{token}").status_code == 404


def look_now() -> tuple[int, int]:
    """Let housekeeping look at all links now, and return at how many it looked and how many it dropped."""
    with transaction():
        db.session.execute(text("UPDATE visit_links SET check_at = now()"))
    with transaction():
        return links.drop_ended()


def test_housekeeping_drops_ended_links_only(visit: Visit) -> None:
    path = share(visit)
    expires_at = datetime.fromisoformat(visit.market.users.visitor().get(path).json["expires_at"])
    assert look_now() == (1, 0)
    assert list(db.session.execute(select(VisitLink.check_at)).scalars()) == [expires_at]
    end_at(visit, now() - timedelta(hours=2, minutes=1))
    with transaction():
        assert links.drop_ended() == (0, 0), "it is not looked at before its time"
    assert look_now() == (1, 1)
    assert db.session.execute(select(VisitLink.request_id)).all() == []


def test_housekeeping_drops_link_of_cancelled_request(visit: Visit) -> None:
    share(visit)
    do(visit.asha, f"{visit.path}/cancel", WHY)
    assert look_now() == (1, 1)


def test_failure_is_logged_without_token(visit: Visit, app: Flask) -> None:
    token = share(visit).rpartition("/")[2]
    with app.test_request_context(f"/visits/{token}"):
        assert loggable_path() == "/visits/[token]"
    with app.test_request_context("/tasks/5"):
        assert loggable_path() == "/tasks/5"

"""A small market with one of everything, for the tests that make every call as every kind of caller.

``tests/api/route_table.py`` names what is in it: ``"$accepted"`` is the id of an accepted request.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from flask import Flask
from sqlalchemy import text

from backend.api import web_app
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.queue import StoredFilePayload, Topic, enqueue
from backend.domain.accounts import links, queries
from backend.domain.exports import actions as exports
from backend.domain.notifications import preferences
from backend.domain.reports.months import Month
from tests.api.route_table import CALLERS, NEW_DEVICE
from tests.conftest import empty_the_market
from tests.factories.jobs import age, mails, token_of, work_on
from tests.factories.photos import add_photo, upload_photo
from tests.factories.requests import WHY, RequestMarket, at, do
from tests.factories.snapshot import Snapshot
from tests.factories.users import PASSWORD, Caller, User, Users
from tests.factories.visits import note_reminder

CODE: Final = 246810  # the code of every SMS
UNUSED: Final = timedelta(hours=1)
NAME: Final = re.compile(r"\$(\w+)")


@dataclass
class Scene:
    """The callers, what the market holds by name, and what each caller has of their own."""

    callers: dict[str, Caller]
    values: dict[str, Any]
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(""))

    def known(self, caller: str) -> dict[str, Any]:
        """Return all values by name, as this caller would send them."""
        return {**self.values, **self.own.get(caller, {})}

    def fill(self, template: Any, caller: str) -> Any:
        """Return the template with the value in place of each ``$name``, of its own type where it stands alone."""
        known = self.known(caller)
        if isinstance(template, dict):
            return {name: self.fill(value, caller) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value, caller) for value in template]
        if not isinstance(template, str):
            return template
        if (whole := NAME.fullmatch(template)) is not None:
            return known[whole[1]]
        return NAME.sub(lambda found: str(known[found[1]]), template)


@contextmanager
def staged(app: Flask, dist: Path) -> Iterator[Scene]:
    """Build the scene on an application with a built page, an SMS gateway and a security contact."""
    (dist / "pages").mkdir()
    (dist / "pages/manifest.json").write_text('{"empty.en": {"scripts": [], "styles": []}}')
    (dist / "pages/empty.en.html").write_text("<!doctype html><!--head--><title>Doorstep</title><!--/head-->")
    configured = replace(
        app.extensions["settings"],
        sms_url="json://127.0.0.1:9/sms/{phone}",
        security_contact="mailto:security@market.example",
        security_contact_expires=now().date() + timedelta(days=30),
    )
    with pytest.MonkeyPatch.context() as patched, app.app_context():
        patched.setattr(web_app, "DIST", dist)
        patched.setitem(app.extensions, "settings", configured)
        empty_the_market()
        scene = build(Users(app))
        scene.snapshot = Snapshot.take()
        yield scene
        db.session.remove()
        Snapshot.drop()


def build(users: Users) -> Scene:
    """Create the users, then what they did, over HTTP wherever a call does it."""
    market = RequestMarket(users)
    customer, professional, admin = (
        users.customer(phone="+919876543201"),
        market.professional(phone="+919876543202"),
        users.admin(phone="+919876543203"),
    )
    other = market.professional(phone="+919876543204")
    bystander = users.customer(phone="+919876543205")
    pending = users.professional(approved=False, has_document=True, phone="+919876543206")
    blocked = users.customer(phone="+919876543207")
    everyone: list[Caller] = [users.visitor(), pending, other, bystander, customer, professional, blocked, admin]
    callers = dict(zip(CALLERS, everyone, strict=True))
    scene = Scene(callers, _requests(market, customer, professional, admin))
    other.patch("/me", {"task_ids": professional.get("/me").json["task_ids"]})
    scene.values |= {
        "task_id": market.task_id,
        "unused_task": market.task("Tiling"),
        "customer_id": customer.id,
        "account_id": customer.id,
        "professional_id": professional.id,
        "pending_professional": pending.id,
        "blocked_account": blocked.id,
        "username": customer.username,
        "password": PASSWORD,
        "tomorrow": at(days=1)[:10],
        "next_week": at(days=7),
        "month": str(Month.of(now(), users.app.extensions["settings"].zone)),
        "phone_code": f"{CODE:06}",
        "subscription_id": 1,
        "other_session": "none",  # of those who have none of their own
        "met": customer.id,
        "approval_code": "0000",  # of those who need none
        "reported_customer": customer.id,
    }
    scene.values |= _visits(scene.values, customer, professional)
    scene.values |= _request_photos(scene.values, professional, phase="before")
    with transaction():  # without one of the task, so that other requests are accepted as most are
        point = "INSERT INTO request_checklist_points VALUES (:request_id, 1, 'Water is turned off', false, false)"
        db.session.execute(text(point), {"request_id": scene.values["accepted"]})
    scene.own["customer concerned"] = {
        "undoable": scene.values["undoable_by_customer"],
        "met": professional.id,
        **_request_photos(scene.values, customer, phase="problem"),
    }
    scene.own["professional concerned"] = {"approval_code": _approval_code(scene.values, customer)}
    scene.values |= _made_by(admin) | _links(users, customer) | _photos(admin, professional, other, pending)
    for name, caller in callers.items():
        if isinstance(caller, User):
            scene.own[name] = {**scene.own.get(name, {}), **_own(users, caller, customer)}
    with transaction():  # as if the codes had been requested so long ago that others may be
        db.session.execute(text("UPDATE phone_codes SET created_at = created_at - interval '1 minute'"))
    do(admin, f"/users/{blocked.id}/block", {"reason": "other"})
    return scene


def _requests(market: RequestMarket, customer: User, professional: User, admin: User) -> dict[str, Any]:
    """Return one request in each state, by its name; on days of their own, so that none overlap."""

    def bring_to(status: str, day: int) -> Any:
        return market.bring_to(status, customer, professional, date_of_request=at(days=day))["id"]

    made = {status: bring_to(status, day) for day, status in enumerate(("requested", "accepted", "completed"), 2)}
    made |= {"closed": bring_to("closed", 5), "reviewed": bring_to("closed", 6), "hidden": bring_to("closed", 7)}
    for name in ("reviewed", "hidden"):
        do(customer, f"/requests/{made[name]}/review", {"rating": 4})
    do(admin, f"/reviews/{made['hidden']}/hide", WHY)
    for name, author in (("completed", customer), ("accepted", professional), ("accepted", customer)):
        made["message_id"] = do(author, f"/requests/{made[name]}/messages", {"body": "The gate is green"})["id"]
    assert professional.post(f"/requests/{made['accepted']}/messages/report", WHY).status_code == 204
    made["report_id"] = admin.get("/conversation_reports").json["items"][0]["id"]
    made["undoable_by_customer"] = bring_to("accepted", 8)
    made["extended"] = bring_to("accepted", 10)
    note_reminder(made["accepted"])
    quoted = {"task_id": market.task("Papering", pricing="quote"), "date_of_request": at(days=11)}
    professional.patch("/me", {"task_ids": [market.task_id, quoted["task_id"]]})
    made["quoted"] = do(customer, "/requests", quoted)["id"]
    made["offer_id"] = do(professional, f"/requests/{made['quoted']}/offers", {"amount": "900.00"})["id"]
    line = {"kind": "extra", "title": "New tap", "quantity": "1", "unit_amount": "250.00"}
    made["line_id"] = do(professional, f"/requests/{made['extended']}/price_lines", line)["id"]
    return {**made, "request_id": made["accepted"], "undoable": bring_to("accepted", 9)}


def _approval_code(values: dict[str, Any], customer: User) -> str:
    """Return the code that the customer of the request with a price line sees."""
    lines = customer.get(f"/requests/{values['extended']}/price_lines").json["items"]
    return str(lines[0]["approval_code"])


def _visits(values: dict[str, Any], customer: User, professional: User) -> dict[str, Any]:
    """Take a step of the professional and one of the customer, which can be undone for a day; share a visit."""
    do(professional, f"/requests/{values['undoable']}/arrive")
    do(customer, f"/requests/{values['undoable_by_customer']}/start")
    with transaction():
        db.session.execute(text("UPDATE task_requests SET step_at = now() + interval '1 day' WHERE step_at <= now()"))
    link = do(customer, f"/requests/{values['accepted']}/visit_link")
    return {"visit_token": link["url"].rpartition("/")[2]}


def _request_photos(values: dict[str, Any], author: User, *, phase: str) -> dict[str, Any]:
    """Return the phase of which this side adds photos, and one that it added to the accepted request."""
    added = add_photo(author, values["accepted"], phase)
    return {"photo_phase": phase, "request_photo": added["id"]}


def _made_by(admin: User) -> dict[str, Any]:
    """Return what admins work with: synonyms, exports, runs, a failed job and a failed delivery."""
    made = {
        "synonym_id": admin.post("/synonyms", {"phrases": ["tap", "faucet"]}).json["id"],
        "finished_export": admin.post("/exports", {}).json["id"],
        "run_id": admin.post("/jobs/housekeeping/run").json["id"],
    }
    work_on(exports.TOPIC.name)
    made["queued_export"] = made["export_id"] = admin.post("/exports", {}).json["id"]
    with transaction():
        enqueue(Topic("nobody.knows", StoredFilePayload), StoredFilePayload("none"))
        age("nobody.knows")
    work_on("nobody.knows")
    made["job_id"] = admin.get("/jobs/failed").json["items"][0]["id"]
    with transaction():
        failed = text("UPDATE deliveries SET state = 'failed' WHERE id = (SELECT min(id) FROM deliveries) RETURNING id")
        made["delivery_id"] = db.session.execute(failed).scalar_one()
    return made


def _photos(admin: User, professional: User, *others: User) -> dict[str, Any]:
    """Return the photo that the professional shows, by its digest, and one that awaits a decision; all have one."""
    upload_photo(professional, 300)
    shown = admin.get("/profile_photos").json["items"][0]["id"]
    do(admin, f"/profile_photos/{shown}/approve")
    made = {"digest": professional.get("/me/profile").json["photo_url"].rpartition("/")[2]}
    for number, other in enumerate(others):
        upload_photo(other, 310 + number)
    return {**made, "photo_id": admin.get("/profile_photos").json["items"][0]["id"]}


def _links(users: Users, customer: User) -> dict[str, Any]:
    """Return the tokens of links that were mailed."""
    mover = users.customer()
    assert mover.patch("/me", {"email": "moved@example.org"}).status_code == 200
    with transaction():
        account = queries.get(customer.id)
        made = {
            f"{purpose}_token": token_of({"link": links.make(account, purpose, life=UNUSED)})
            for purpose in ("password_reset", "email_confirmation")
        }
        unsubscribe = preferences.address(customer.id, "reminder")
    (changed,) = mails("email_changed")
    return {**made, "email_undo_token": token_of(changed), "unsubscribe_token": unsubscribe.rpartition("/")[2]}


def _own(users: Users, caller: User, customer: User) -> dict[str, Any]:
    """Return a second session of the caller, its refresh token, and whose reports the caller may read."""
    answer = users.visitor().post("/check", {"username": caller.username, "password": PASSWORD, "client": "api"})
    (other,) = [session for session in caller.get("/me/sessions").json["items"] if not session["current"]]
    with patch("backend.domain.accounts.phones.secrets.randbelow", return_value=CODE):
        assert caller.post("/me/phone/code").status_code == 202
    device = {**NEW_DEVICE, "endpoint": f"{NEW_DEVICE['endpoint']}/{caller.id}"}
    return {
        "subscription_id": caller.post("/me/push_subscriptions", device).json["id"],
        "other_session": other["id"],
        "refresh_token": answer.json["refresh_token"],
        "reported_customer": customer.id if caller.role == "admin" else caller.id,
    }

"""The user's notifications, and unsubscribing."""

from datetime import datetime

from flask import Response, render_template, url_for

from backend.api import language
from backend.api.auth import ANYONE, SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, next_link
from backend.api.schemas import notifications as schemas
from backend.core.clock import now
from backend.core.db.pagination import Window
from backend.core.errors import NotFound
from backend.core.security.authz import Actor
from backend.domain.accounts import queries as accounts
from backend.domain.notifications import create, preferences, queries
from backend.domain.notifications.messages import template_values

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


class Notifications(Resource):
    @endpoint(
        summary="List my notifications",
        who=SIGNED_IN,
        query=schemas.NotificationFilter(),
        response=schemas.Notifications(),
        headers=("Link",),
    )
    def get(self, actor: Actor, *, query: schemas.NotificationFilterData) -> ApiResponse:
        """Newest first, with the number of unread ones, in the language of Accept-Language or else the account's."""
        unread = None if query["unread"] is None else bool(query["unread"])
        page, count = queries.page(actor.account_id, unread=unread, window=Window(query["limit"], query["cursor"]))
        reader = language.of_reader(actor)
        at = now()
        items = [_present_notification(row, reader, at=at) for row in page.items]
        body = {"items": items, "next_cursor": page.next_cursor, "unread_count": count}
        headers = {"Content-Language": reader, "Vary": "Accept-Language"}
        return ApiResponse(body, headers={**next_link(page.next_cursor), **headers})


def _present_notification(row: queries.NotificationRow, reader: str, *, at: datetime) -> JsonObject:
    title, body = row.texts(reader)
    return {
        "id": row.id,
        "kind": row.kind,
        "title": title,
        "body": body,
        "request_id": row.request_id,
        "read": row.read_at is not None,
        "created_at": row.created_at,
        "choices": row.choices(at=at),
    }


class ReadNotifications(Resource):
    @endpoint(
        summary="Mark notifications as read", who=SIGNED_IN, body=schemas.MarkRead(), response=schemas.UnreadCount()
    )
    def post(self, actor: Actor, *, body: schemas.MarkReadData) -> dict[str, int]:
        """Marks the given ids, or all. Idempotent."""
        create.mark_read(actor.account_id, ids=body.get("ids"))
        return {"unread_count": queries.unread_count(actor.account_id)}


class Unsubscribe(Resource):
    @endpoint(summary="Show the unsubscribe page", who=ANYONE, media_type="text/html", errors=(NotFound,))
    def get(self, _: Actor | None, *, token: str) -> Response:
        """Opening the page does not unsubscribe, because email scanners follow links."""
        account_id, kind = preferences.read(token)
        return _page(account_id, kind=kind, done=False)

    @endpoint(
        summary="Unsubscribe from reminders or reports (RFC 8058)",
        who=ANYONE,
        media_type="text/html",
        errors=(NotFound,),
    )
    def post(self, _: Actor | None, *, token: str) -> Response:
        """The token, from the email's List-Unsubscribe header, identifies the account and the kind of message."""
        account_id, kind = preferences.unsubscribe_by_link(token)
        return _page(account_id, kind=kind, done=True)


def _page(account_id: int, *, kind: str, done: bool) -> Response:
    """Return the page in the language of the email that led to it."""
    values = template_values(accounts.language_of(account_id))
    html = render_template("pages/unsubscribe.html", **values, kind=kind, done=done, home=url_for("web_app_home"))
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response

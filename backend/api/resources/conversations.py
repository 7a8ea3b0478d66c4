"""Conversations over HTTP: messages, what was read, reports, and the lists of both sides and of admins."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from backend.api import rate_limits
from backend.api.auth import ACTIVE, ADMINS, CUSTOMERS_AND_PROFESSIONALS
from backend.api.document_upload import received_picture
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, next_link
from backend.api.schemas import conversations as schemas
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable, UnsupportedType
from backend.core.security.authz import Actor
from backend.domain.conversations import actions, queries
from backend.domain.documents import capacity
from backend.domain.photos.files import StoredPicture


@contextmanager
def received_photo(actor: Actor, arguments: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Check, inspect and store the photo of a message, if it has one, before the transaction of the call begins."""
    form = cast("schemas.NewPhotoMessageData", arguments["body"])
    photo = form.get("photo")  # absent from JSON; without a name if the form was sent without a file
    if photo is None or not photo.filename:
        yield {"stored": None}
        return
    request_id = cast("int", arguments["request_id"])
    rate_limits.check("photo_rate_limit", actor, by_account=True)
    actions.check_photo(actor, request_id=request_id, professional_id=form["professional_id"])
    with capacity.current().upload_of(actor.account_id), received_picture(photo) as stored:
        yield {"stored": stored}


class Messages(Resource):
    @endpoint(
        summary="List the messages of a conversation",
        who=ACTIVE,
        query=schemas.MessageQuery(),
        response=schemas.Message(),
        paged=True,
        errors=(NotFound, Invalid),
    )
    def get(self, actor: Actor, *, request_id: int, query: schemas.MessageQueryData) -> Page[JsonObject]:
        """Oldest first, or newest first with ``order=newest``; either way further pages continue from there.

        Admins can read a conversation only while it is reported; each call is recorded in the audit trail.
        """
        page = queries.page(
            actor,
            request_id=request_id,
            window=Window(query["limit"], query["cursor"]),
            professional_id=query["professional_id"],
            newest_first=query["order"] == "newest",
        )
        return Page([message._asdict() for message in page.items], page.next_cursor)

    @endpoint(
        summary="Write a message",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.NewMessage(),
        form=schemas.NewPhotoMessage(),
        response=schemas.Message(),
        status=201,
        errors=(NotFound, Conflict, Invalid, TooLarge, UnsupportedType, Unavailable, capacity.InspectionRunning),
        idempotent=True,
        prepare=received_photo,
        rate_limit="message_rate_limit",
    )
    def post(
        self, actor: Actor, *, request_id: int, body: schemas.NewPhotoMessageData, stored: StoredPicture | None
    ) -> JsonObject:
        """JSON, or a multipart form with a photo. Photos need a request that has been accepted: 409 otherwise.

        Until the request is accepted, phone numbers (also in parts over several messages), email and web addresses,
        UPI ids and names in messengers are hidden.

        Afterwards they are hidden if the setting ``contact`` is ``masked``. 409 ``conversation_closed`` if the
        professional is not asked for and has not accepted, or more than seven days after the request has ended.
        """
        rate_limits.count("conversation_rate_limit", f"{actor.id}:{request_id}")
        message = actions.write(
            actor,
            request_id=request_id,
            body=body["body"],
            professional_id=body["professional_id"],
            photo=stored,
        )
        return message._asdict()


class ReadMessages(Resource):
    @endpoint(
        summary="Mark messages as read",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.MarkMessagesRead(),
        response=schemas.UnreadMessages(),
        errors=(NotFound, Invalid),
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.MarkMessagesReadData) -> dict[str, int]:
        """Marks the other side's messages up to and including ``up_to``. Idempotent."""
        return {"unread_count": actions.mark_read(actor, request_id=request_id, **body)}


class ReportConversation(Resource):
    @endpoint(
        summary="Report a conversation",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.ConversationReportReason(),
        status=204,
        errors=(NotFound, Conflict, Invalid),
        rate_limit="message_rate_limit",
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.ConversationReportReasonData) -> ApiResponse:
        """Allows admins to read the conversation until one of them settles the report."""
        actions.report(actor, request_id=request_id, **body)
        return ApiResponse()


class RequestConversations(Resource):
    @endpoint(
        summary="List the conversations about a request",
        who=ACTIVE,
        response=schemas.ConversationsOfRequest(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Customers see one for each professional, professionals their own, admins those that are reported."""
        return {"items": [_of_request(row) for row in queries.of_request(actor, request_id=request_id)]}


def _of_request(row: queries.ConversationOfRequest) -> JsonObject:
    return {
        "professional_id": row.professional_id,
        "professional_firstname": row.professional_firstname,
        "compname": row.compname,
        "customer_firstname": row.customer_firstname,
        "unread_count": row.unread,
        "last_message_at": row.last_message_at,
        "open": row.is_open,
        "closes_at": row.closes_at,
        "photos": row.takes_photos,
        "reported": row.is_reported,
    }


class MyConversations(Resource):
    @endpoint(
        summary="List my conversations",
        who=CUSTOMERS_AND_PROFESSIONALS,
        query=schemas.ConversationQuery(),
        response=schemas.Conversations(),
        headers=("Link",),
    )
    def get(self, actor: Actor, *, query: schemas.ConversationQueryData) -> ApiResponse:
        """The latest message first, with the number of unread messages in all conversations."""
        window = Window(query["limit"], query["cursor"])
        page = queries.mine(actor, window=window, unread_only=bool(query["unread"]))
        body = {
            "items": [_summary(row) for row in page.items],
            "next_cursor": page.next_cursor,
            "unread_count": queries.unread_count(actor),
        }
        return ApiResponse(body, headers=next_link(page.next_cursor))


def _summary(row: queries.ConversationSummary) -> JsonObject:
    values = row._asdict()
    return {"unread_count": values.pop("unread"), "current": values.pop("is_current"), **values}


class ConversationReports(Resource):
    @endpoint(
        summary="List reported conversations",
        who=ADMINS,
        query=schemas.ConversationReportQuery(),
        response=schemas.ConversationReport(),
        paged=True,
    )
    def get(self, _: Actor, *, query: schemas.ConversationReportQueryData) -> Page[JsonObject]:
        """Newest first: those that are not settled, or with ``settled=1`` those that are. Without their messages."""
        page = queries.reports(window=Window(query["limit"], query["cursor"]), settled=bool(query["settled"]))
        return Page([report._asdict() for report in page.items], page.next_cursor)


class SettleConversationReport(Resource):
    @endpoint(
        summary="Settle a report of a conversation",
        who=ADMINS,
        body=schemas.Settlement(),
        body_required=False,
        status=204,
        errors=(NotFound, Conflict),
    )
    def post(self, actor: Actor, *, report_id: int, body: schemas.SettlementData) -> ApiResponse:
        """Recorded in the audit trail. Unless another report is open, admins can read the conversation no longer."""
        actions.settle(actor, report_id=report_id, note=body["note"] or None)
        return ApiResponse()

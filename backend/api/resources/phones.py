"""Verify the user's phone number, so that it can receive notifications by SMS."""

from flask import Response

from backend.api.auth import SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.resources.accounts import present
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import accounts as account_schemas
from backend.api.schemas import accounts as schemas
from backend.core.errors import Conflict, Invalid, TooMany
from backend.core.security.authz import Actor
from backend.domain.accounts import phones


class MyPhoneCode(Resource):
    @endpoint(
        summary="Request a verification code for my phone number",
        who=SIGNED_IN,
        response=schemas.CodeSent(),
        status=202,
        errors=(Conflict, TooMany),
    )
    def post(self, actor: Actor) -> JsonObject:
        """The code is sent by SMS and replaces any previous one.

        409: `no_phone`, `already_verified`, `sms_not_available` or `sms_not_set_up`.
        """
        sent = phones.send_code(actor)
        return {"phone": sent.phone, "expires_at": sent.expires_at}


class MyPhoneConfirmation(Resource):
    @endpoint(
        summary="Verify my phone number",
        who=SIGNED_IN,
        body=schemas.Code(),
        response=account_schemas.Account(),
        errors=(Invalid, TooMany),
    )
    def post(self, actor: Actor, *, body: schemas.CodeData) -> ApiResponse | Response:
        """SMS notifications are sent only to verified numbers.

        422: `wrong_code` or `code_expired`; 429 after five wrong codes.
        """
        try:
            account = phones.confirm(actor, code=body["code"])
        except phones.WrongCode as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        return ApiResponse(present(account), version=account.version)

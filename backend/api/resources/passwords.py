"""Changing a password, and getting back in when it was forgotten; confirming a mail address."""

from typing import Any

from flask import Response, request

from backend.api import auth
from backend.api.auth import ANYONE, FIRST_PASSWORD_TOO, SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.responses import ApiResponse, render
from backend.api.schemas import sessions as schemas
from backend.core.errors import Invalid, TooMany
from backend.core.security.authz import Actor
from backend.domain.accounts import email_changes, links, sign_in


class MyPassword(Resource):
    @endpoint(
        summary="Change one's own password",
        who=FIRST_PASSWORD_TOO,
        body=schemas.NewPassword(),
        status=204,
        errors=(Invalid, TooMany),
    )
    def post(self, actor: Actor, *, body: dict[str, Any]) -> Response | None:
        """All other sessions end, and links mailed to reset it stop working. Wrong ones count as failed sign-ins."""
        try:
            sign_in.change_password(actor, **body)
        except sign_in.WrongPassword as error:
            return domain_problem(error)  # answered, not raised: the failed try must be committed
        return None


class ConfirmPassword(Resource):
    @endpoint(
        summary="Repeat one's own password",
        who=SIGNED_IN,
        body=schemas.CurrentPassword(),
        status=204,
        errors=(Invalid, TooMany),
    )
    def post(self, actor: Actor, *, body: dict[str, Any]) -> Response | None:
        """For calls that answer 401 `fresh_sign_in_needed`; they can be made for 10 minutes from now on."""
        try:
            sign_in.confirm_password(actor, password=body["password"])
        except sign_in.WrongPassword as error:
            return domain_problem(error)  # answered, not raised: the failed try must be committed
        return None


class ForgotPassword(Resource):
    @endpoint(
        summary="Ask for a mail to choose a new password",
        who=ANYONE,
        body=schemas.Forgot(),
        status=202,
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> None:
        """202 whether or not there is an account with this address; the link works once and not for long.

        For 7 days after the email was changed it goes to the address before.
        """
        sign_in.forgot(body["email"])


class ResetPassword(Resource):
    @endpoint(
        summary="Choose a new password by a mailed link",
        who=ANYONE,
        body=schemas.Reset(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> Response:
        """All sessions of the account end. 422 `link_invalid` for a token that was used, is too old, or is not ours."""
        account_id = sign_in.reset(token=body["token"], password=body["password"], address=request.remote_addr)
        response = render(ApiResponse(None), status=204)
        auth.remember_device(response, account_id)
        return response


class ConfirmMail(Resource):
    @endpoint(
        summary="Confirm a mail address by a mailed link",
        who=ANYONE,
        body=schemas.Confirm(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> None:
        """Other mails reach the address from now on, where the market wants it confirmed."""
        links.confirm(body["token"])


class UndoEmail(Resource):
    @endpoint(
        summary="Change an email back by a mailed link",
        who=ANYONE,
        body=schemas.Confirm(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> None:
        """All sessions of the account end. 422 `link_invalid` for a token that was used, is too old, or is not ours."""
        email_changes.undo(body["token"], address=request.remote_addr)


class MyConfirmation(Resource):
    @endpoint(summary="Ask for the mail that confirms one's address again", who=SIGNED_IN, status=202)
    def post(self, actor: Actor) -> None:
        """202 whether or not one is needed."""
        links.ask_again(actor.account_id)

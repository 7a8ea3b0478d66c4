"""Change or reset a password, and confirm an email."""

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
        summary="Change my password",
        who=FIRST_PASSWORD_TOO,
        body=schemas.NewPassword(),
        status=204,
        errors=(Invalid, TooMany),
    )
    def post(self, actor: Actor, *, body: schemas.NewPasswordData) -> Response | None:
        """Ends all other sessions and invalidates unused reset links.

        A wrong current password counts as a failed sign-in.
        """
        try:
            sign_in.change_password(actor, **body)
        except sign_in.WrongPassword as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        return None


class ConfirmPassword(Resource):
    @endpoint(
        summary="Confirm my password",
        who=SIGNED_IN,
        body=schemas.CurrentPassword(),
        status=204,
        errors=(Invalid, TooMany),
    )
    def post(self, actor: Actor, *, body: schemas.CurrentPasswordData) -> Response | None:
        """Allows calls that answered 401 `fresh_sign_in_needed` for the next 10 minutes."""
        try:
            sign_in.confirm_password(actor, password=body["password"])
        except sign_in.WrongPassword as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        return None


class ForgotPassword(Resource):
    @endpoint(
        summary="Request a password reset",
        who=ANYONE,
        body=schemas.Forgot(),
        status=202,
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: schemas.ForgotData) -> None:
        """Always 202, whether or not an account has this email. The emailed link works once and expires.

        For 7 days after a change of email, the link is sent to the previous address.
        """
        sign_in.forgot(body["email"])


class ResetPassword(Resource):
    @endpoint(
        summary="Reset a password",
        who=ANYONE,
        body=schemas.Reset(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: schemas.ResetData) -> Response:
        """Takes the token from the emailed link. Ends all sessions of the account.

        A token that is invalid, used or expired gets 422 `link_invalid`."""
        account_id = sign_in.reset(token=body["token"], password=body["password"], address=request.remote_addr)
        response = render(ApiResponse(None), status=204)
        auth.remember_device(response, account_id)
        return response


class ConfirmMail(Resource):
    @endpoint(
        summary="Confirm an email address",
        who=ANYONE,
        body=schemas.Confirm(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: schemas.ConfirmData) -> None:
        """Takes the token from the emailed link.

        Where EMAIL_CONFIRMATION is on, other emails are sent only after this.
        """
        links.confirm(body["token"])


class UndoEmail(Resource):
    @endpoint(
        summary="Undo a change of email",
        who=ANYONE,
        body=schemas.Confirm(),
        status=204,
        errors=(Invalid,),
        rate_limit="forgot_rate_limit",
    )
    def post(self, _: Actor | None, *, body: schemas.ConfirmData) -> None:
        """Takes the token from the emailed link. Ends all sessions of the account.

        A token that is invalid, used or expired gets 422 `link_invalid`."""
        email_changes.undo(body["token"], address=request.remote_addr)


class MyConfirmation(Resource):
    @endpoint(summary="Resend my confirmation email", who=SIGNED_IN, status=202)
    def post(self, actor: Actor) -> None:
        """Always 202, even if the address is already confirmed."""
        links.request_confirmation_again(actor.account_id)

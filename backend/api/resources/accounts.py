"""Sign-up, and the user's own account."""

from contextlib import nullcontext
from typing import Any

from backend.api import rate_limits
from backend.api.auth import ANYONE, FIRST_PASSWORD_TOO, SIGNED_IN
from backend.api.document_upload import received
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, expected_version
from backend.api.schemas import accounts as schemas
from backend.core.config import current_settings
from backend.core.errors import Invalid, Stale, TooLarge, TooMany, Unavailable, UnsupportedType
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions, links, queries
from backend.domain.accounts.models import Account
from backend.domain.accounts.sign_in import FreshSignInNeeded
from backend.domain.professionals import actions as professionals
from backend.domain.professionals import queries as professional_queries
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.queries import ProfessionalProfile

PROFILE_FIELDS = ("compname", "exp", "task_ids", "pincodes", "radius_km")


def present(account: Any, profile: ProfessionalProfile | None = None) -> dict[str, Any]:
    """Return an account as a response body. A professional's profile is read unless it is given."""
    body: dict[str, Any] = {
        "id": account.id,
        "role": account.role,
        "username": account.username,
        "email": account.email,
        "firstname": account.firstname,
        "lastname": account.lastname,
        "address": account.address,
        "pincode": account.pincode,
        "phone": account.phone,
        "phone_verified": int(account.phone_verified_at is not None),
        "isactive": int(account.blocked_at is None),
        "created_at": account.created_at,
    }
    if current_settings().email_confirmation:
        body["email_confirmed"] = int(account.email_confirmed_at is not None)
    if account.role == Role.PROFESSIONAL:
        body |= _present_profile(account, profile or professional_queries.profile(account.id))
    return body


def present_own(account: Account) -> dict[str, Any]:
    """Return the user's own account, with fields that only its owner sees."""
    body = present(account)
    if account.password_expires_at is not None:
        body["must_change_password"] = 1
    return body


def _present_profile(account: Any, profile: ProfessionalProfile) -> dict[str, Any]:
    return {
        "isactive": int(account.blocked_at is None and profile.approval is Approval.APPROVED),
        "exp": profile.exp,
        "compname": profile.compname,
        "task_ids": profile.task_ids,
        "pincodes": profile.pincodes,
        "radius_km": profile.radius_km,
        "rating": profile.rating,
        "reviews": profile.reviews,
        "approval": profile.approval,
        "approval_reason": profile.approval_reason,
        "approval_changed_at": profile.approval_changed_at,
        "approval_expires_at": profile.approval_expires_at,
        "document": profile.document and profile.document._asdict(),
    }


class AddCustomer(Resource):
    @endpoint(
        summary="Sign up as a customer",
        who=ANYONE,
        body=schemas.CustomerSignUp(),
        response=schemas.Account(),
        status=201,
        rate_limit="signup_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> dict[str, Any]:
        """The account is active immediately."""
        with rate_limits.counting_taken_emails(body["email"]):
            return present(actions.sign_up(actions.NewAccount(**body), role=Role.CUSTOMER))


class AddProfessional(Resource):
    @endpoint(
        summary="Sign up as a professional",
        who=ANYONE,
        body=schemas.ProfessionalSignUp(),
        form=schemas.ProfessionalSignUpForm(),
        response=schemas.Account(),
        status=201,
        errors=(TooLarge, UnsupportedType, Unavailable),
        rate_limit="signup_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> dict[str, Any]:
        """``isactive`` stays 0 until an admin approves the document, which can be uploaded now or later."""
        document = body.pop("document", None)
        chosen = document is not None and bool(document.filename)  # a form without a choice sends a file without a name
        trade = professionals.NewProfile(
            exp=body.pop("exp"), compname=body.pop("compname"), task_ids=body.pop("task_ids")
        )
        document_kept = received(document) if chosen else nullcontext()
        with rate_limits.counting_taken_emails(body["email"]), document_kept as stored:
            account = professionals.sign_up(actions.NewAccount(**body), trade=trade, document=stored)
        return present(account)


class Me(Resource):
    @endpoint(summary="Get my account", who=FIRST_PASSWORD_TOO, response=schemas.Account())
    def get(self, actor: Actor) -> ApiResponse:
        """For professionals, the response includes the approval status."""
        account = queries.get(actor.account_id)
        return ApiResponse(present_own(account), version=account.version)

    @endpoint(
        summary="Update my account",
        who=SIGNED_IN,
        body=schemas.Profile(),
        response=schemas.Account(),
        errors=(Stale, TooMany, FreshSignInNeeded),
    )
    def patch(self, actor: Actor, *, body: dict[str, Any]) -> ApiResponse:
        """Omitted fields are not changed. Send If-Match to avoid overwriting concurrent changes.

        After a change of email, the previous address can undo it for 7 days. Admins who change their email must have
        signed in or confirmed their password (POST /me/confirm-password) within the last 10 minutes.
        """
        trade = {name: body.pop(name) for name in PROFILE_FIELDS if name in body}
        if trade and actor.role is not Role.PROFESSIONAL:
            raise Invalid(
                "Some fields can be set only by professionals.", errors={name: ["Unknown field."] for name in trade}
            )
        if "email" in body and links.is_new(queries.get(actor.account_id), body["email"]):
            rate_limits.count("email_change_rate_limit", str(actor.id))
        account = actions.edit(actor, expected_version=expected_version(), **body)
        if actor.role is Role.PROFESSIONAL:
            professionals.edit(account.id, **trade)
        return ApiResponse(present(account), version=account.version)

"""Sign-up, and the user's own account."""

from contextlib import nullcontext

from backend.api import language, rate_limits
from backend.api.auth import ANYONE, FIRST_PASSWORD_TOO, SIGNED_IN
from backend.api.document_upload import received
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import accounts as schemas
from backend.core.config import current_settings
from backend.core.errors import Invalid, Stale, TooLarge, TooMany, Unavailable, UnsupportedType
from backend.core.security.authz import Actor, Role
from backend.core.text_tables import supported
from backend.domain.accounts import actions, links, queries
from backend.domain.accounts.models import Account
from backend.domain.accounts.sign_in import FreshSignInNeeded
from backend.domain.professionals import actions as professionals
from backend.domain.professionals import queries as professional_queries
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.queries import ProfessionalProfile
from backend.domain.task_requests.notifications import announce_contact
from backend.settings import Settings

CONTACT_FIELDS = {"firstname", "lastname", "phone", "compname"}
PROFILE_FIELDS = ("compname", "exp", "task_ids", "pincodes", "radius_km")


def present(
    account: Account | queries.AccountRow,
    profile: ProfessionalProfile | None = None,
    *,
    settings: Settings | None = None,
) -> JsonObject:
    """Return an account as a response body. A professional's profile is read unless it is given.

    Lists give the settings, because looking them up for each row takes as long as the row.
    """
    body: JsonObject = {
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
        "language": account.language and supported(account.language),
        "isactive": int(account.blocked_at is None),
        "created_at": account.created_at,
    }
    if (settings or current_settings()).email_confirmation:
        body["email_confirmed"] = int(account.email_confirmed_at is not None)
    if account.role == Role.PROFESSIONAL:
        body |= _present_profile(account, profile or professional_queries.profile(account.id))
    return body


def new_account(body: schemas.CustomerSignUpData) -> actions.NewAccount:
    """Return the fields common to all sign-ups."""
    return actions.NewAccount(
        username=body["username"],
        email=body["email"],
        password=body["password"],
        firstname=body["firstname"],
        lastname=body["lastname"],
        address=body["address"],
        pincode=body["pincode"],
        phone=body["phone"],
        language=body["language"] or language.asked(),
    )


def present_own(account: Account | queries.AccountRow, *, must_change_password: bool) -> JsonObject:
    """Return the user's own account, with fields that only its owner sees."""
    body = present(account)
    if must_change_password:
        body["must_change_password"] = 1
    return body


def _present_profile(account: Account | queries.AccountRow, profile: ProfessionalProfile) -> JsonObject:
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
    def post(self, _: Actor | None, *, body: schemas.CustomerSignUpData) -> JsonObject:
        """The account is active immediately. Without ``language`` it gets the best one of Accept-Language."""
        with rate_limits.counting_taken_emails(body["email"]):
            return present(actions.sign_up(new_account(body), role=Role.CUSTOMER))


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
    def post(self, _: Actor | None, *, body: schemas.ProfessionalSignUpFormData) -> JsonObject:
        """``isactive`` stays 0 until an admin approves the document, which can be uploaded now or later."""
        document = body.get("document")  # absent from JSON; without a name if the form was sent without a file
        storing = received(document) if document is not None and document.filename else nullcontext()
        profile = professionals.NewProfile(exp=body["exp"], compname=body["compname"], task_ids=body["task_ids"])
        with rate_limits.counting_taken_emails(body["email"]), storing as stored:
            account = professionals.sign_up(new_account(body), trade=profile, document=stored)
        return present(account)


class Me(Resource):
    @endpoint(summary="Get my account", who=FIRST_PASSWORD_TOO, response=schemas.Account())
    def get(self, actor: Actor) -> ApiResponse:
        """For professionals, the response includes the approval status."""
        account = queries.get(actor.account_id)
        body = present_own(account, must_change_password=account.password_expires_at is not None)
        return ApiResponse(body, version=account.version)

    @endpoint(
        summary="Update my account",
        who=SIGNED_IN,
        body=schemas.Profile(),
        response=schemas.Account(),
        errors=(Stale, TooMany, FreshSignInNeeded),
    )
    def patch(self, actor: Actor, *, body: schemas.ProfileData) -> ApiResponse:
        """Omitted fields are not changed. Send If-Match to avoid overwriting concurrent changes.

        After a change of email, the previous address can undo it for 7 days. Admins who change their email must have
        signed in or confirmed their password (POST /me/confirm-password) within the last 10 minutes.
        """
        refused = [name for name in PROFILE_FIELDS if name in body]
        if refused and actor.role is not Role.PROFESSIONAL:
            raise Invalid(
                "Some fields can be set only by professionals.", errors={name: ["Unknown field."] for name in refused}
            )
        if "email" in body and links.is_new(queries.get(actor.account_id), body["email"]):
            rate_limits.count("email_change_rate_limit", str(actor.id))
        account = actions.edit(
            actor,
            expected_version=expected_version(),
            email=body.get("email"),
            phone=body.get("phone", actions.Unset.UNSET),
            firstname=body.get("firstname"),
            lastname=body.get("lastname"),
            address=body.get("address"),
            pincode=body.get("pincode"),
            language=body.get("language"),
        )
        if actor.role is Role.PROFESSIONAL:
            professionals.edit(
                account.id,
                compname=body.get("compname"),
                exp=body.get("exp"),
                radius_km=body.get("radius_km"),
                task_ids=body.get("task_ids"),
                pincodes=body.get("pincodes"),
            )
        if CONTACT_FIELDS & body.keys():
            announce_contact(account.id)
        return ApiResponse(present(account), version=account.version)

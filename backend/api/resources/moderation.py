"""User administration: list customers, create admins, block, unblock, and end sessions."""

from functools import cache

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.accounts import new_account, present
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import accounts as account_schemas
from backend.api.schemas import moderation as schemas
from backend.core.config import current_settings
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, NotFound, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import queries as accounts
from backend.domain.accounts.models import Account
from backend.domain.accounts.sign_in import FreshSignInNeeded
from backend.domain.audit.actions import record_read
from backend.domain.moderation import actions, queries
from backend.domain.professionals import queries as professional_queries
from backend.domain.professionals.approval import Approval, allowed_actions
from backend.domain.professionals.queries import ProfessionalProfile
from backend.settings import Settings


def present_for_admin(
    account: Account | accounts.AccountRow,
    profile: ProfessionalProfile | None = None,
    *,
    settings: Settings | None = None,
) -> JsonObject:
    """Return an account with the fields that only admins see; see `accounts.present`."""
    approval: Approval | None = None
    if account.role == Role.PROFESSIONAL:
        profile = profile or professional_queries.profile(account.id)
        approval = profile.approval
    body = present(account, profile, settings=settings)
    if profile is not None:
        body["tasks_done"] = profile.tasks_done
    body["blocked_at"] = account.blocked_at
    body["blocked_reason"] = account.blocked_reason
    body["blocked_note"] = account.blocked_note
    body["last_seen_at"] = account.last_seen_at
    body["allowed_actions"] = allowed(approval, is_blocked=account.blocked_at is not None)
    return body


@cache
def allowed(approval: Approval | None, *, is_blocked: bool) -> tuple[str, ...]:
    """Return what an admin may do with an account. Lists ask for every row, and there are few cases."""
    decisions = () if approval is None else allowed_actions(approval, Role.ADMIN)
    return (*decisions, "unblock" if is_blocked else "block")


def account_response(account_id: int) -> ApiResponse:
    """Return the account after an admin's change."""
    account = accounts.get(account_id)
    return ApiResponse(present_for_admin(account), version=account.version)


def account_detail_response(actor: Actor, account_id: int, *, role: Role) -> ApiResponse:
    """Return one account with statistics, reviews and history, and record the read access in the audit trail."""
    detail = queries.account_detail(account_id, role=role)
    record_read(actor, "person_viewed", subject_id=account_id)
    body = {
        **present_for_admin(detail.account),
        "figures": detail.figures,
        "latest_reviews": detail.reviews,
        "history": detail.history,
    }
    return ApiResponse(body, version=detail.account.version)


class Customers(Resource):
    @endpoint(
        summary="List customers", who=ADMINS, query=schemas.Customers(), response=schemas.UserAccount(), paged=True
    )
    def get(self, actor: Actor, *, query: schemas.CustomersData) -> Page[JsonObject]:
        """Newest first, or best match first when searching.

        Each admin's access is recorded in the audit trail once an hour.
        """
        window = Window(query["limit"], query["cursor"])
        filters = accounts.AccountFilters(
            q=query["q"],
            blocked=None if query["blocked"] is None else bool(query["blocked"]),
            pincode=query["pincode"],
            sort=query["sort"],
        )
        page = accounts.customers(filters=filters, window=window)
        record_read(actor, "people_listed", subject_kind="customers")
        settings = current_settings()
        return Page([present_for_admin(account, settings=settings) for account in page.items], page.next_cursor)


class OneCustomer(Resource):
    @endpoint(summary="Get a customer", who=ADMINS, response=schemas.UserAccountDetail(), errors=(NotFound,))
    def get(self, actor: Actor, customer_id: int) -> ApiResponse:
        """Includes statistics, the latest reviews written and the account's audit history."""
        return account_detail_response(actor, customer_id, role=Role.CUSTOMER)


class Block(Resource):
    @endpoint(
        summary="Block an account",
        who=ADMINS,
        body=schemas.Block(),
        response=schemas.UserAccount(),
        errors=(NotFound, Conflict, Stale, FreshSignInNeeded),
    )
    def post(self, actor: Actor, account_id: int, *, body: schemas.BlockData) -> ApiResponse:
        """Takes effect with the account's next call. A professional's accepted requests are released; a customer's open
        requests are cancelled.

        Blocking an admin requires a sign-in or a password confirmation within the last 10 minutes.
        """
        actions.block(actor, account_id=account_id, expected_version=expected_version(), **body)
        return account_response(account_id)


class Unblock(Resource):
    @endpoint(
        summary="Unblock an account", who=ADMINS, response=schemas.UserAccount(), errors=(NotFound, Conflict, Stale)
    )
    def post(self, actor: Actor, account_id: int) -> ApiResponse:
        """The user can sign in again. Released and cancelled requests are not restored."""
        actions.unblock(actor, account_id=account_id, expected_version=expected_version())
        return account_response(account_id)


class EndSessions(Resource):
    @endpoint(summary="End all sessions of an account", who=ADMINS, status=204, errors=(NotFound, FreshSignInNeeded))
    def post(self, actor: Actor, account_id: int) -> None:
        """Does not block the account: the user can sign in again. Unused password-reset links become invalid.

        For another admin, requires a sign-in or a password confirmation within the last 10 minutes.
        """
        actions.end_sessions(actor, account_id=account_id)


class Admins(Resource):
    @endpoint(
        summary="Create an admin",
        who=ADMINS,
        body=account_schemas.CustomerSignUp(),
        response=account_schemas.Account(),
        status=201,
        errors=(FreshSignInNeeded,),
    )
    def post(self, actor: Actor, *, body: account_schemas.CustomerSignUpData) -> JsonObject:
        """Takes the same fields as a customer's sign-up. All other admins are notified.

        Requires a sign-in or a password confirmation (POST /me/confirm-password) within the last 10 minutes.
        """
        return present(actions.add_admin(actor, new=new_account(body)))

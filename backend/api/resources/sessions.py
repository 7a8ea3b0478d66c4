"""Sign in, refresh tokens, sign out, and manage sessions."""

from flask import Response, request

from backend.api import auth
from backend.api.auth import ANYONE, FIRST_PASSWORD_TOO, SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.resources.accounts import present_own
from backend.api.responses import ApiResponse, JsonObject, render
from backend.api.schemas import sessions as schemas
from backend.api.schemas.common import Window, WindowData
from backend.core.db import pagination
from backend.core.db.pagination import Page
from backend.core.errors import Forbidden, NotFound, TooMany, Unauthenticated
from backend.core.observability import security_log
from backend.core.observability.security_log import Event
from backend.core.security.authz import Actor
from backend.domain.accounts import queries, sessions, sign_in
from backend.domain.accounts.models import Session


def token_response(user: JsonObject, issued: sessions.Issued) -> Response:
    """Return the tokens of a session. API clients get the refresh token in the body, browsers in a cookie."""
    body: JsonObject = {**auth.tokens_for(issued), "user": user}
    refresh_token = auth.refresh_token_for(issued)
    if issued.client == "api":
        body["refresh_token"] = refresh_token
    response = render(ApiResponse(body, cache_control="no-store"), status=200)
    if issued.client == "browser":
        auth.set_cookies(response, refresh_token, seconds=issued.seconds_left)
    return response


class Check(Resource):
    @endpoint(
        summary="Sign in",
        who=ANYONE,
        body=schemas.Credentials(),
        response=schemas.Tokens(),
        errors=(Unauthenticated, Forbidden, TooMany),
    )
    def post(self, _: Actor | None, *, body: schemas.CredentialsData) -> Response:
        """Accepts a username or an email address, for all roles."""
        agent, address = request.headers.get("User-Agent"), request.remote_addr
        device = sessions.Device(body["client"], agent, address, auth.device_cookie())
        try:
            account, password_expires_at, issued = sign_in.sign_in(
                username=body["username"], password=body["password"], device=device
            )
        except sign_in.WrongCredentials as error:
            return domain_problem(error)  # returned, not raised: the failed attempt must be committed
        security_log.note(Event.SIGNED_IN, account_id=account.id, session_id=issued.session_id, address=device.address)
        user = present_own(account, must_change_password=password_expires_at is not None)
        response = token_response(user, issued)
        if issued.client == "browser":
            auth.remember_device(response, account.id)
        return response


class Refresh(Resource):
    @endpoint(summary="Refresh tokens", who=ANYONE, response=schemas.Tokens(), errors=(Unauthenticated,))
    def post(self, _: Actor | None) -> Response:
        """Send the refresh token as a cookie (with X-CSRF-TOKEN) or as Bearer. It is replaced and becomes invalid."""
        claims = auth.refresh_claims()
        try:
            issued = sessions.rotate(session_id=claims["sid"], jti=claims["jti"])
        except sessions.ReusedToken as error:
            sessions.end(session_id=error.session_id, reason="token_reused")
            return domain_problem(error)  # returned, not raised: the end of the session must be committed
        except Forbidden as error:
            response = domain_problem(error)
            auth.unset_cookies(response)  # the blocked user sees this once and then browses as a visitor
            return response
        account = queries.get(issued.account_id)
        must_change = account.password_expires_at is not None
        return token_response(present_own(account, must_change_password=must_change), issued)


class Logout(Resource):
    @endpoint(summary="Sign out", who=FIRST_PASSWORD_TOO, status=204)
    def post(self, actor: Actor) -> Response:
        """Both tokens of this session become invalid."""
        sessions.end(session_id=str(actor.session_id), reason="signed_out")
        return signed_out()


class LogoutEverywhere(Resource):
    @endpoint(summary="Sign out everywhere", who=FIRST_PASSWORD_TOO, status=204)
    def post(self, actor: Actor) -> Response:
        """Ends all sessions of the account, including this one, and invalidates unused password-reset links."""
        sessions.end_everywhere(actor)
        return signed_out()


class MySessions(Resource):
    @endpoint(summary="List my sessions", who=SIGNED_IN, query=Window(), response=schemas.Session(), paged=True)
    def get(self, actor: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Active sessions, newest first."""
        page = queries.sessions_of(actor.account_id, window=pagination.Window(**query))
        return Page([_present(session, actor) for session in page.items], page.next_cursor)


class MySession(Resource):
    @endpoint(summary="End one of my sessions", who=SIGNED_IN, status=204, errors=(NotFound,))
    def delete(self, actor: Actor, session_id: str) -> None:
        """Both tokens of the session become invalid."""
        sessions.end_own(actor, session_id=session_id)


def signed_out() -> Response:
    """Return 204 and have the browser drop the cookies and what it cached of the account (ASVS 14.3.1)."""
    response = render(ApiResponse(None, headers={"Clear-Site-Data": '"cache"'}), status=204)
    auth.unset_cookies(response)
    return response


def _present(session: Session, actor: Actor) -> JsonObject:
    return {
        "id": session.id,
        "client": session.client,
        "user_agent": session.user_agent,
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
        "current": int(session.id == actor.session_id),
    }

"""Signing in, staying signed in, signing out."""

from typing import Any

from flask import Response, request

from backend.api import auth
from backend.api.access import ANYONE, SIGNED_IN
from backend.api.base import Resource, endpoint
from backend.api.errors import domain_problem
from backend.api.resources.accounts import present
from backend.api.schemas import sessions as schemas
from backend.api.wire import Reply, render
from backend.core.authz import Actor
from backend.core.errors import Forbidden, TooMany, Unauthenticated
from backend.domain.accounts import queries, sessions, signing_in
from backend.domain.accounts.models import Account


def tokens(account: Account, issued: sessions.Issued) -> Response:
    """The answer to a sign-in: the refresh token in the body for API clients, in a cookie for browsers."""
    body: dict[str, Any] = {**auth.tokens_for(issued), "user": present(account)}
    refresh_token = auth.refresh_token_for(issued)
    if issued.client == "api":
        body["refresh_token"] = refresh_token
    response = render(Reply(body, cache_control="no-store"), status=200)
    if issued.client == "browser":
        auth.set_cookies(response, refresh_token)
    return response


class Check(Resource):
    @endpoint(
        summary="Sign in",
        who=ANYONE,
        body=schemas.Credentials(),
        response=schemas.Tokens(),
        errors=(Unauthenticated, Forbidden, TooMany),
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> Response:
        """For all three roles, by username or mail address."""
        device = sessions.Device(body["client"], request.headers.get("User-Agent"), request.remote_addr)
        try:
            account, issued = signing_in.sign_in(username=body["username"], password=body["password"], device=device)
        except signing_in.WrongCredentials as error:
            return domain_problem(error)  # answered, not raised: the failed try must be committed
        return tokens(account, issued)


class Refresh(Resource):
    @endpoint(
        summary="New tokens for a refresh token", who=ANYONE, response=schemas.Tokens(), errors=(Unauthenticated,)
    )
    def post(self, _: Actor | None) -> Response:
        """By cookie (with X-CSRF-TOKEN) or as Bearer; the old refresh token is dead afterwards."""
        claims = auth.refresh_claims()
        try:
            issued = sessions.rotate(session_id=claims["sid"], jti=claims["jti"])
        except sessions.ReusedToken as error:
            sessions.end(session_id=error.session_id, reason="token_reused")
            return domain_problem(error)  # answered, not raised: the end of the session must be committed
        return tokens(queries.get(issued.account_id), issued)


class Logout(Resource):
    @endpoint(summary="Sign out here", who=SIGNED_IN, status=204)
    def post(self, actor: Actor) -> Response:
        """Both tokens of this session are dead from now on."""
        sessions.end(session_id=str(actor.session_id), reason="signed_out")
        response = render(Reply(None), status=204)
        auth.unset_cookies(response)
        return response

"""Who may call: access rules, JSON Web Tokens and the cookies that carry them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from flask import Flask, Response, current_app, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    set_refresh_cookies,
    unset_refresh_cookies,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import NoAuthorizationError

from backend.api.converters import MAX_BIGINT
from backend.api.errors import CALLER
from backend.core.cache.ttl_cache import TtlCache
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import Forbidden, Unauthenticated
from backend.core.security import signing
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import sessions, throttle
from backend.settings import Settings


@dataclass(frozen=True, slots=True)
class Access:
    """Roles that may call; whether a token is read, and needed; whether a professional must be approved.

    ``needs_own_password``: refused while the account still has the password that was issued to it.
    ``forgives_bad_token``: who signs in or up again may still send an old token, but a blocked account is told so.
    """

    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    reads_token: bool = True
    needs_token: bool = True
    needs_active: bool = True
    needs_own_password: bool = True
    forgives_bad_token: bool = False

    def check(self, actor: Actor | None) -> None:
        """Let the actor pass, or raise Unauthenticated or Forbidden with the contract's codes."""
        if actor is None:
            if self.needs_token:
                raise Unauthenticated("An access token is required. Sign in with POST /check.")
            return
        if not self.needs_token:
            return
        if self.needs_own_password and actor.must_change_password:
            raise Forbidden(
                "Your account still has a temporary password. Change it with POST /me/password.",
                code="password_change_needed",
            )
        if self.needs_active and not actor.is_active:
            raise Forbidden(
                "Your account is not active. An admin must approve your document first; check the "
                "approval with GET /me.",
                code="not_active",
            )
        if actor.role not in self.roles:
            raise Forbidden("Your role is not permitted to perform this action.", code="role_not_allowed")


def _for(name: str, roles: Iterable[Role], *, needs_active: bool = True, needs_own_password: bool = True) -> Access:
    return Access(name, frozenset(roles), needs_active=needs_active, needs_own_password=needs_own_password)


PROBES: Final = Access("anyone", reads_token=False, needs_token=False, needs_active=False)
ANYONE: Final = Access("anyone", needs_token=False, needs_active=False, forgives_bad_token=True)
VISITORS: Final = Access(
    "anyone; the response depends on the token, if one is sent", needs_token=False, needs_active=False
)
SIGNED_IN: Final = _for("signed in", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN], needs_active=False)
FIRST_PASSWORD_TOO: Final = _for(
    "signed in", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN], needs_active=False, needs_own_password=False
)
ACTIVE: Final = _for("signed in and active", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN])
CUSTOMERS: Final = _for("customer", [Role.CUSTOMER])
CUSTOMERS_AND_ADMINS: Final = _for("customer or admin", [Role.CUSTOMER, Role.ADMIN])
PROFESSIONALS: Final = _for("active professional", [Role.PROFESSIONAL])
PENDING_PROFESSIONALS: Final = _for("professional", [Role.PROFESSIONAL], needs_active=False)
CUSTOMERS_AND_PROFESSIONALS: Final = _for("customer or active professional", [Role.CUSTOMER, Role.PROFESSIONAL])
ADMINS: Final = _for("admin", [Role.ADMIN])


REFRESH_PATH: Final = "/token/refresh"
SIGN_IN_PATH: Final = "/check"
# Browsers take a cookie of this name over TLS only, and from no page that could not set a Secure one (RFC 6265bis).
SECURE_COOKIE: Final = "__Secure-doorstep"
PLAIN_COOKIE: Final = "refresh_token_cookie"
CLOCK_SKEW_SECONDS: Final = 60  # by which another web server's clock, or this one's before it was set, may be ahead
CACHE_BYTES: Final = 4 << 20
CLAIMS_BYTES: Final = 2_000  # of a token with its claims, more or less
ACTOR_CACHE: Final = "tokens"
PURPOSE: Final = "tokens"
jwt = JWTManager()


def init_app(app: Flask, settings: Settings) -> None:
    """Access tokens as Bearer only; browsers hold the refresh token in an httpOnly, SameSite=Strict cookie."""
    app.config.update(
        JWT_SECRET_KEY=settings.secret_key,
        JWT_ALGORITHM="HS256",
        JWT_TOKEN_LOCATION=["headers", "cookies"],
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(minutes=settings.access_token_minutes),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(days=settings.refresh_token_days),
        JWT_DECODE_LEEWAY=CLOCK_SKEW_SECONDS,
        JWT_ENCODE_NBF=False,
        JWT_REFRESH_COOKIE_NAME=SECURE_COOKIE if settings.over_tls else PLAIN_COOKIE,
        JWT_COOKIE_SECURE=settings.over_tls,
        JWT_COOKIE_SAMESITE="Strict",
        JWT_COOKIE_CSRF_PROTECT=True,
        JWT_REFRESH_COOKIE_PATH=REFRESH_PATH,
        JWT_REFRESH_CSRF_COOKIE_PATH="/",
        JWT_SESSION_COOKIE=False,
    )
    jwt.init_app(app)
    jwt.encode_key_loader(lambda _: signing.key(PURPOSE))
    jwt.additional_headers_loader(lambda _: {"kid": signing.key_id(signing.key(PURPOSE))})
    jwt.decode_key_loader(_key_of)
    app.extensions[ACTOR_CACHE] = TtlCache[dict[str, Any]](most_bytes=CACHE_BYTES, size=lambda _: CLAIMS_BYTES)


def _key_of(header: dict[str, Any], _: dict[str, Any]) -> bytes:
    """The key that a token names. Tokens from before keys had names were signed by SECRET_KEY itself.

    Raises LookupError for a key that is not ours, or not any more.
    """
    if "kid" not in header:
        return current_settings().secret_key.encode()
    for key in signing.keys(PURPOSE):
        if signing.key_id(key) == header["kid"]:
            return key
    raise LookupError("kid")


def actor() -> Actor | None:
    """The account behind the access token; None when no token came.

    Raises Unauthenticated for a token of any other kind, and Forbidden for a blocked account. Role, block and
    sign-out are read from the database: claims are not trusted for what may have changed.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    claims = _access_claims(header)
    request.environ[CALLER] = {"account_id": int(claims["sub"]), "session_id": claims["sid"]}
    return sessions.actor_of(session_id=claims["sid"], account_id=int(claims["sub"]), address=request.remote_addr)


def _access_claims(header: str) -> dict[str, Any]:
    """The claims of an access token. A signature that was good stays good: it is worked out once, its time is not."""
    known: TtlCache[dict[str, Any]] = current_app.extensions[ACTOR_CACHE]
    claims = known.get(header)
    if claims is None or claims["exp"] <= now().timestamp():
        claims = _verified(refresh=False, locations=["headers"])
        known.put(header, claims)
    return claims


def refresh_claims() -> dict[str, Any]:
    """The claims of the refresh token, from the cookie (with its CSRF token) or the Authorization header."""
    return _verified(refresh=True, locations=["headers", "cookies"])


def _verified(*, refresh: bool, locations: list[str]) -> dict[str, Any]:
    scheme, space, token = request.headers.get("Authorization", "").partition(" ")
    if space and scheme.lower() == "bearer":  # the scheme may be written either way (RFC 9110, 11.1); the library minds
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    try:
        verify_jwt_in_request(refresh=refresh, locations=locations)
        claims: dict[str, Any] = get_jwt()
        _insist_on_ours(claims, kind="refresh" if refresh else "access")
    except NoAuthorizationError as error:
        raise Unauthenticated("A token is required. Sign in with POST /check.") from error
    except Exception as error:  # every bad token of any kind is a 401 (the library has many ways to fail)
        raise Unauthenticated("The token is invalid or has expired. Sign in again.", code="invalid_token") from error
    return claims


def _insist_on_ours(claims: dict[str, Any], *, kind: str) -> None:
    """Check the claims that each of our tokens has. Raises ValueError, TypeError or KeyError when one is not ours.

    The library forgives a clock that is ahead; the end of a token is not to be put off by that.
    """
    if claims["exp"] <= now().timestamp():
        raise ValueError("exp")
    subject = claims["sub"]
    is_id = isinstance(subject, str) and subject.isascii() and subject.isdigit() and int(subject) <= MAX_BIGINT
    if not (is_id and claims["type"] == kind and isinstance(claims["jti"], str) and claims["exp"]):
        raise ValueError("claims")
    uuid.UUID(claims["sid"])


def tokens_for(issued: sessions.Issued) -> dict[str, Any]:
    """The token fields of an answer; the refresh token is added for API clients only (see :func:`deliver`)."""
    claims = {"role": issued.role, "sid": issued.session_id}
    access = create_access_token(identity=str(issued.account_id), additional_claims=claims)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": issued.access_seconds,
        "role": issued.role,
    }


def refresh_token_for(issued: sessions.Issued) -> str:
    """The refresh token of the session's present line."""
    claims = {"role": issued.role, "sid": issued.session_id, "jti": issued.jti}
    token: str = create_refresh_token(identity=str(issued.account_id), additional_claims=claims)
    return token


def device_cookie() -> str | None:
    """The cookie by which a device is recognised, where the caller sent one."""
    return request.cookies.get(_device_cookie_name())


def remember_device(response: Response, account_id: int) -> None:
    """Let the browser prove next time that this account signed in on it: strangers' failed tries then do not count."""
    response.set_cookie(
        _device_cookie_name(),
        throttle.remember(device_cookie(), account_id),
        max_age=throttle.LIFE,
        path=SIGN_IN_PATH,
        secure=current_settings().over_tls,
        httponly=True,
        samesite="Strict",
    )


def _device_cookie_name() -> str:
    return "__Secure-doorstep_device" if current_settings().over_tls else "doorstep_device"


def set_cookies(response: Response, refresh_token: str, *, seconds: int) -> None:
    """Give a browser its refresh token, for as long as the session lasts."""
    set_refresh_cookies(response, refresh_token, max_age=seconds)


def unset_cookies(response: Response) -> None:
    unset_refresh_cookies(response)

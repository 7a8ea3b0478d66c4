"""Access rules, JSON Web Tokens, and the cookies that carry them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypedDict

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
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import Forbidden, Unauthenticated
from backend.core.lru_cache import LruCache
from backend.core.security import signing
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import sessions, throttle
from backend.settings import Settings


@dataclass(frozen=True, slots=True)
class Access:
    """An access rule: the roles allowed, and what is required of the token and the account.

    ``needs_own_password``: the account must have replaced the temporary password that was issued to it.
    ``forgives_bad_token``: an invalid token counts as none, since clients that sign in may still send an old one. A
    blocked account is rejected even so.
    """

    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    reads_token: bool = True
    needs_token: bool = True
    needs_active: bool = True
    needs_own_password: bool = True
    forgives_bad_token: bool = False

    def check(self, actor: Actor | None) -> None:
        """Raise Unauthenticated or Forbidden unless the actor satisfies this rule."""
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
# The prefix makes browsers accept the cookie only over TLS and with the Secure attribute (RFC 6265bis).
SECURE_COOKIE: Final = "__Secure-doorstep"
PLAIN_COOKIE: Final = "refresh_token_cookie"
CLOCK_SKEW_SECONDS: Final = 60  # by which the clock of another web server may be ahead
CACHE_BYTES: Final = 4 << 20
CLAIMS_BYTES: Final = 2_000  # approximate size of a token with its claims
ACTOR_CACHE: Final = "tokens"
PURPOSE: Final = "tokens"
jwt = JWTManager()


class Claims(TypedDict):
    """The claims of a token that :func:`_checked_claims` checks."""

    sub: str
    sid: str
    jti: str
    type: str
    exp: int


class TokenFields(TypedDict):
    """The token fields of a response."""

    access_token: str
    token_type: str
    expires_in: int
    role: str


def init_app(app: Flask, settings: Settings) -> None:
    """Configure JWTs.

    Access tokens are accepted as Bearer only. Browsers hold the refresh token in an httpOnly, SameSite=Strict cookie.
    """
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
    app.extensions[ACTOR_CACHE] = LruCache[Claims](most_bytes=CACHE_BYTES, size=lambda _: CLAIMS_BYTES)


def _key_of(header: dict[str, object], _: dict[str, object]) -> bytes:
    """Return the key that a token names. Tokens without a key id were signed by SECRET_KEY itself.

    Raises:
        LookupError: The key is unknown or retired.
    """
    if "kid" not in header:
        return current_settings().secret_key.encode()
    for key in signing.keys(PURPOSE):
        if signing.key_id(key) == header["kid"]:
            return key
    raise LookupError("kid")


def actor() -> Actor | None:
    """Return the account that the access token identifies, or None without a token.

    Role, block and sign-out are read from the database, because they may have changed since the token was issued.

    Raises:
        Unauthenticated: The token is invalid, expired or of another kind.
        Forbidden: The account is blocked.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    claims = _access_claims(header)
    request.environ[CALLER] = {
        "account_id": int(claims["sub"]),
        "session_id": claims["sid"],
        "expires_at": claims["exp"],
    }
    return sessions.actor_of(session_id=claims["sid"], account_id=int(claims["sub"]), address=request.remote_addr)


def token_expiry() -> int:
    """Return when the access token of the current call expires, in seconds since 1970."""
    expires_at: int = request.environ[CALLER]["expires_at"]
    return expires_at


def _access_claims(header: str) -> Claims:
    """Return the claims of an access token. The signature is verified once and cached; the expiry is always checked."""
    known: LruCache[Claims] = current_app.extensions[ACTOR_CACHE]
    claims = known.get(header)
    if claims is None or claims["exp"] <= now().timestamp():
        claims = _verified(refresh=False, locations=["headers"])
        known.put(header, claims)
    return claims


def refresh_claims() -> Claims:
    """Return the claims of the refresh token, from the cookie (with its CSRF token) or the Authorization header."""
    return _verified(refresh=True, locations=["headers", "cookies"])


def _verified(*, refresh: bool, locations: list[str]) -> Claims:
    scheme, space, token = request.headers.get("Authorization", "").partition(" ")
    if space and scheme.lower() == "bearer":  # schemes ignore case (RFC 9110, 11.1), but the library does not
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    try:
        verify_jwt_in_request(refresh=refresh, locations=locations)
        return _checked_claims(get_jwt(), kind="refresh" if refresh else "access")
    except NoAuthorizationError as error:
        raise Unauthenticated("A token is required. Sign in with POST /check.") from error
    except Exception as error:  # the library raises many types; every invalid token is a 401
        raise Unauthenticated("The token is invalid or has expired. Sign in again.", code="invalid_token") from error


def _checked_claims(claims: Mapping[str, object], *, kind: str) -> Claims:
    """Return the claims that every token has. The expiry is checked without the library's leeway for clock skew.

    Raises:
        ValueError, KeyError: A claim is missing, malformed or expired.
    """
    expires_at, subject, session_id, token_id = claims["exp"], claims["sub"], claims["sid"], claims["jti"]
    if not isinstance(expires_at, int) or expires_at <= now().timestamp():
        raise ValueError("exp")
    if not (isinstance(subject, str) and subject.isascii() and subject.isdigit() and int(subject) <= MAX_BIGINT):
        raise ValueError("sub")
    if not (isinstance(token_id, str) and isinstance(session_id, str) and claims["type"] == kind):
        raise ValueError("claims")
    uuid.UUID(session_id)
    return {"sub": subject, "sid": session_id, "jti": token_id, "type": kind, "exp": expires_at}


def tokens_for(issued: sessions.Issued) -> TokenFields:
    """Return the token fields of a response, without the refresh token, which only API clients get in the body."""
    claims = {"role": issued.role, "sid": issued.session_id}
    access = create_access_token(identity=str(issued.account_id), additional_claims=claims)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": issued.access_seconds,
        "role": issued.role,
    }


def refresh_token_for(issued: sessions.Issued) -> str:
    """Return a refresh token for the session's current rotation."""
    claims = {"role": issued.role, "sid": issued.session_id, "jti": issued.jti}
    token: str = create_refresh_token(identity=str(issued.account_id), additional_claims=claims)
    return token


def device_cookie() -> str | None:
    """Return the cookie that identifies a known device, if the client sent one."""
    return request.cookies.get(_device_cookie_name())


def remember_device(response: Response, account_id: int) -> None:
    """Set the cookie that marks the device as known, so that failed sign-ins elsewhere do not lock it out."""
    response.set_cookie(
        _device_cookie_name(),
        throttle.remember(device_cookie(), account_id),
        max_age=throttle.DEVICE_LIFETIME,
        path=SIGN_IN_PATH,
        secure=current_settings().over_tls,
        httponly=True,
        samesite="Strict",
    )


def _device_cookie_name() -> str:
    return "__Secure-doorstep_device" if current_settings().over_tls else "doorstep_device"


def set_cookies(response: Response, refresh_token: str, *, seconds: int) -> None:
    """Set the refresh-token cookie for the rest of the session."""
    set_refresh_cookies(response, refresh_token, max_age=seconds)


def unset_cookies(response: Response) -> None:
    unset_refresh_cookies(response)

"""Access and refresh tokens: invalid ones return 401 with WWW-Authenticate."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.core.clock import now
from backend.core.security import signing
from backend.settings import Settings
from tests.api.conftest import MakeApp
from tests.factories.problems import assert_problem
from tests.factories.users import PASSWORD, User, Users

SIGN_IN = "/check"


def named(settings: Settings) -> dict[str, str]:
    """Return the JWT header with the id of the signing key."""
    return {"kid": signing.key_id(signing.key("tokens", settings))}


def test_refresh_cookie_over_https_has_secure_prefix(make: MakeApp, users: Users) -> None:
    asha, browser = users.customer(), make(PUBLIC_URL="https://market.example").test_client()
    body = {"username": asha.username, "password": PASSWORD}
    answer = browser.post("https://market.example/check", json=body)
    refresh = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Secure-doorstep="))
    for attribute in ("Secure", "HttpOnly", "Path=/token/refresh", "SameSite=Strict"):
        assert attribute in refresh
    csrf = browser.get_cookie("csrf_refresh_token", domain="market.example")
    assert csrf is not None
    again = browser.post("https://market.example/token/refresh", headers={"X-CSRF-TOKEN": csrf.value})
    assert again.status_code == 200


class TestTokens:
    """Tokens of one signed-in customer."""

    @pytest.fixture
    def asha(self, users: Users) -> User:
        return users.customer()

    def _get_me(self, client: FlaskClient, header: str) -> TestResponse:
        return client.get("/me", headers={"Authorization": header})

    def test_access_token_with_bearer_in_any_case_is_accepted(self, production: FlaskClient, asha: User) -> None:
        assert self._get_me(production, f"Bearer {asha.token}").status_code == 200
        assert self._get_me(production, f"bearer {asha.token}").status_code == 200

    def test_missing_token_returns_unauthenticated(self, production: FlaskClient) -> None:
        assert_problem(production.get("/me"), 401, "unauthenticated")

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "Bearer a",
            "Bearer a.b.c",
            "Bearer a b",
            "bearer",
            "Bearer ..",
            "Bearer \u00e9",
            "Bearer " + "a" * 6000,
            "",
            "Token x",
            "Bearer null",
        ],
    )
    def test_malformed_token_returns_401(self, production: FlaskClient, header: str) -> None:
        assert_problem(self._get_me(production, header), 401)

    def test_token_signed_with_other_key_is_invalid(self, production: FlaskClient, asha: User) -> None:
        claims = self._claims(asha)
        forged = jwt.encode(claims, "another key of more than thirty-two bytes", algorithm="HS256")
        assert_problem(self._get_me(production, f"Bearer {forged}"), 401, "invalid_token")

    def test_unsigned_token_is_invalid(self, production: FlaskClient, asha: User) -> None:
        def part(data: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

        unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(self._claims(asha))}."
        assert_problem(self._get_me(production, f"Bearer {unsigned}"), 401, "invalid_token")

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": 1}, {"exp": "soon"}, {"nbf": 99_999_999_999}, {"type": "refresh"}, {"type": "other"}, {"sub": 1},
            {"sub": "x"}, {"sub": "\u0663"}, {"sub": "9" * 30}, {"sub": None}, {"sid": None}, {"sid": "x"}, {"sid": 7},
            {"sid": "00000000-0000-0000-0000-000000000000"}, {"sid": "a\x00"}, {"iat": "x"}, {"csrf": 5, "sid": []},
        ],
        ids=str,
    )  # fmt: skip
    def test_token_with_wrong_claims_returns_401(
        self, production: FlaskClient, asha: User, settings: Settings, changes: dict[str, Any]
    ) -> None:
        token = jwt.encode(
            {**self._claims(asha), **changes},
            signing.key("tokens", settings),
            algorithm="HS256",
            headers=named(settings),
        )
        assert_problem(self._get_me(production, f"Bearer {token}"), 401)

    @pytest.mark.parametrize("missing", ["sub", "sid", "jti", "exp"])
    def test_token_with_missing_claims_returns_401(
        self, production: FlaskClient, asha: User, settings: Settings, missing: str
    ) -> None:
        claims = {name: value for name, value in self._claims(asha).items() if name != missing}
        answer = self._get_me(
            production,
            f"Bearer {jwt.encode(claims, signing.key('tokens', settings), algorithm='HS256', headers=named(settings))}",
        )
        assert_problem(answer, 401)

    def test_refresh_token_used_as_access_token_is_invalid(self, production: FlaskClient, asha: User) -> None:
        signed_in = production.post(SIGN_IN, json={"username": asha.username, "password": PASSWORD, "client": "api"})
        refresh = json.loads(signed_in.data)["refresh_token"]
        assert_problem(self._get_me(production, f"Bearer {refresh}"), 401, "invalid_token")
        answer = production.post("/token/refresh", headers={"Authorization": f"Bearer {asha.token}"})
        assert_problem(answer, 401)

    @pytest.mark.parametrize(("ahead", "status"), [(1, 200), (5, 200), (55, 200), (120, 401)])
    def test_token_issued_by_server_with_fast_clock_is_accepted_within_leeway(
        self, production: FlaskClient, asha: User, settings: Settings, ahead: int, status: int
    ) -> None:
        issued = int(now().timestamp()) + ahead
        claims = {**self._claims(asha), "iat": issued, "nbf": issued, "exp": issued + 900}
        token = jwt.encode(claims, signing.key("tokens", settings), algorithm="HS256", headers=named(settings))
        assert self._get_me(production, f"Bearer {token}").status_code == status

    def test_token_expiry_has_no_leeway(self, production: FlaskClient, asha: User, settings: Settings) -> None:
        claims = {**self._claims(asha), "exp": int(now().timestamp()) - 1}
        token = jwt.encode(claims, signing.key("tokens", settings), algorithm="HS256", headers=named(settings))
        assert_problem(self._get_me(production, f"Bearer {token}"), 401, "invalid_token")

    def test_access_token_has_no_not_before_claim(self, asha: User) -> None:
        assert "nbf" not in self._claims(asha)

    def test_token_of_deleted_account_returns_401(
        self, production: FlaskClient, asha: User, settings: Settings
    ) -> None:
        token = jwt.encode(
            {**self._claims(asha), "sub": "999999"},
            signing.key("tokens", settings),
            algorithm="HS256",
            headers=named(settings),
        )
        assert_problem(self._get_me(production, f"Bearer {token}"), 401)

    def test_token_after_logout_returns_session_ended(self, production: FlaskClient, asha: User) -> None:
        assert production.post("/logout", headers=asha.headers).status_code == 204
        assert_problem(self._get_me(production, f"Bearer {asha.token}"), 401, "session_ended")

    def test_sign_in_with_invalid_token_in_header_succeeds(self, production: FlaskClient, asha: User) -> None:
        for token in ("x", f"{asha.token}x"):
            answer = production.post(
                SIGN_IN,
                json={"username": asha.username, "password": PASSWORD},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 200

    def test_public_call_with_invalid_token_returns_401(self, production: FlaskClient) -> None:
        assert_problem(production.get("/tasks", headers={"Authorization": "Bearer x"}), 401, "invalid_token")

    def _claims(self, user: User) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(str(user.token), options={"verify_signature": False})
        return {**claims, "exp": int((now() + timedelta(minutes=5)).timestamp())}

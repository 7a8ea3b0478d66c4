"""Every bad token of any kind is a 401 that says how to sign in."""

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
from tests.factories.people import PASSWORD, People, Person
from tests.factories.problems import assert_problem

SIGN_IN = "/check"


def named(settings: Settings) -> dict[str, str]:
    """The header that names the key that tokens are signed by."""
    return {"kid": signing.key_id(signing.key("tokens", settings))}


def test_over_https_the_cookie_has_a_name_that_binds_it_to_tls(make: MakeApp, people: People) -> None:
    asha, browser = people.customer(), make(PUBLIC_URL="https://market.example").test_client()
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
    """Every bad token of any kind is a 401 that says how to sign in."""

    @pytest.fixture
    def asha(self, people: People) -> Person:
        return people.customer()

    def _get_me(self, client: FlaskClient, header: str) -> TestResponse:
        return client.get("/me", headers={"Authorization": header})

    def test_a_good_one(self, production: FlaskClient, asha: Person) -> None:
        assert self._get_me(production, f"Bearer {asha.token}").status_code == 200
        assert self._get_me(production, f"bearer {asha.token}").status_code == 200

    def test_none(self, production: FlaskClient) -> None:
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
    def test_malformed(self, production: FlaskClient, header: str) -> None:
        assert_problem(self._get_me(production, header), 401)

    def test_signed_by_someone_else(self, production: FlaskClient, asha: Person) -> None:
        claims = self._claims(asha)
        forged = jwt.encode(claims, "another key of more than thirty-two bytes", algorithm="HS256")
        assert_problem(self._get_me(production, f"Bearer {forged}"), 401, "invalid_token")

    def test_unsigned(self, production: FlaskClient, asha: Person) -> None:
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
    def test_right_key_and_wrong_claims(
        self, production: FlaskClient, asha: Person, settings: Settings, changes: dict[str, Any]
    ) -> None:
        token = jwt.encode(
            {**self._claims(asha), **changes},
            signing.key("tokens", settings),
            algorithm="HS256",
            headers=named(settings),
        )
        assert_problem(self._get_me(production, f"Bearer {token}"), 401)

    @pytest.mark.parametrize("missing", ["sub", "sid", "jti", "exp"])
    def test_right_key_and_missing_claims(
        self, production: FlaskClient, asha: Person, settings: Settings, missing: str
    ) -> None:
        claims = {name: value for name, value in self._claims(asha).items() if name != missing}
        answer = self._get_me(
            production,
            f"Bearer {jwt.encode(claims, signing.key('tokens', settings), algorithm='HS256', headers=named(settings))}",
        )
        assert_problem(answer, 401)

    def test_a_refresh_token_is_no_access_token(self, production: FlaskClient, asha: Person) -> None:
        signed_in = production.post(SIGN_IN, json={"username": asha.username, "password": PASSWORD, "client": "api"})
        refresh = json.loads(signed_in.data)["refresh_token"]
        assert_problem(self._get_me(production, f"Bearer {refresh}"), 401, "invalid_token")
        answer = production.post("/token/refresh", headers={"Authorization": f"Bearer {asha.token}"})
        assert_problem(answer, 401)

    @pytest.mark.parametrize(("ahead", "status"), [(1, 200), (5, 200), (55, 200), (120, 401)])
    def test_signed_by_a_server_whose_clock_is_ahead(
        self, production: FlaskClient, asha: Person, settings: Settings, ahead: int, status: int
    ) -> None:
        issued = int(now().timestamp()) + ahead
        claims = {**self._claims(asha), "iat": issued, "nbf": issued, "exp": issued + 900}
        token = jwt.encode(claims, signing.key("tokens", settings), algorithm="HS256", headers=named(settings))
        assert self._get_me(production, f"Bearer {token}").status_code == status

    def test_what_forgives_clocks_puts_no_end_off(
        self, production: FlaskClient, asha: Person, settings: Settings
    ) -> None:
        claims = {**self._claims(asha), "exp": int(now().timestamp()) - 1}
        token = jwt.encode(claims, signing.key("tokens", settings), algorithm="HS256", headers=named(settings))
        assert_problem(self._get_me(production, f"Bearer {token}"), 401, "invalid_token")

    def test_tokens_are_good_from_the_start(self, asha: Person) -> None:
        assert "nbf" not in self._claims(asha)

    def test_an_account_that_is_gone(self, production: FlaskClient, asha: Person, settings: Settings) -> None:
        token = jwt.encode(
            {**self._claims(asha), "sub": "999999"},
            signing.key("tokens", settings),
            algorithm="HS256",
            headers=named(settings),
        )
        assert_problem(self._get_me(production, f"Bearer {token}"), 401)

    def test_after_signing_out(self, production: FlaskClient, asha: Person) -> None:
        assert production.post("/logout", headers=asha.headers).status_code == 204
        assert_problem(self._get_me(production, f"Bearer {asha.token}"), 401, "session_ended")

    def test_an_old_token_does_not_keep_anyone_from_signing_in(self, production: FlaskClient, asha: Person) -> None:
        for token in ("x", f"{asha.token}x"):
            answer = production.post(
                SIGN_IN,
                json={"username": asha.username, "password": PASSWORD},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 200

    def test_a_bad_token_is_refused_where_a_token_is_welcome(self, production: FlaskClient) -> None:
        assert_problem(production.get("/tasks", headers={"Authorization": "Bearer x"}), 401, "invalid_token")

    def _claims(self, person: Person) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(str(person.token), options={"verify_signature": False})
        return {**claims, "exp": int((now() + timedelta(minutes=5)).timestamp())}

"""Passwords that are refused, and those that must not be."""

from collections.abc import Iterator

import pytest
from flask import Flask

from backend.domain.accounts import password_rules
from backend.settings import Settings


@pytest.fixture(autouse=True)
def market() -> Iterator[None]:
    app = Flask(__name__)
    app.extensions["settings"] = Settings(market_name="Doorstep")
    with app.app_context():
        yield


def problem(password: str) -> str | None:
    return password_rules.problem(password, username="asha.rao", email="asha77@example.org")


LEAKED = ["password", "Password123!", "password1!", "iloveyou1", "1q2w3e4r5t", "qwerty123456", "p4ssw0rd!", "Pass1234!",
          "0123456789", "1234567890a", "princess123", "000134679ana"]  # fmt: skip
PATTERNS = ["aaaaaaaa", "a" * 24, "ababababab", "abcabcabc", "abcdefgh", "qwertyuiop", "zxcvbnm,./", "11112222"]
DERIVED = ["asha.rao", "ASHA.RAO", "asha.rao123", "Asha.Rao-2026!", "asha77@example.org", "asha77asha77", "doorstep",
           "Doorstep1!", "my doorstep", "123asha.rao!", "asha.raoasha77"]  # fmt: skip


@pytest.mark.parametrize("password", LEAKED + PATTERNS)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert problem(password) == password_rules.WELL_KNOWN


@pytest.mark.parametrize("password", DERIVED)
def test_what_is_made_of_names_is_refused(password: str) -> None:
    assert problem(password) == password_rules.DERIVED


GOOD = ["correct horse battery 9", "an admin's long password", "a long enough password", "quite another passphrase",
        "another passphrase 7", "a new one of many 1", "S3cure-Pass!", "a doorstep full of parcels", "kite-lamp-42",
        "asha.rao likes green tea", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e 42",
        "x9$Kq2!m", "only-for-tests-" * 4, "p" * 1024, "tr0ub4dor&3x"]  # fmt: skip


@pytest.mark.parametrize("password", GOOD)
def test_reasonable_ones_are_taken(password: str) -> None:
    assert problem(password) is None


def test_short_names_occur_by_chance() -> None:
    assert password_rules.problem("bob likes bobsleigh", username="bob", email="b@example.org") is None
    assert password_rules.problem("bob-lamp-42", username="bob", email="b@example.org") is None


def test_as_many_leaked_ones_are_known_as_is_claimed() -> None:
    """docs/adr/0074 says how many; both lists come from packages that may change."""
    assert len(password_rules._leaked_short()) > 11_000

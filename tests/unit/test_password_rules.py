"""Passwords that are rejected, and ones that must be accepted."""

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
def test_password_that_is_leaked_or_patterned_is_rejected(password: str) -> None:
    assert problem(password) == password_rules.WELL_KNOWN


@pytest.mark.parametrize("password", DERIVED)
def test_password_derived_from_names_is_rejected(password: str) -> None:
    assert problem(password) == password_rules.DERIVED


GOOD = ["correct horse battery 9", "an admin's long password", "a long enough password", "quite another passphrase",
        "another passphrase 7", "a new one of many 1", "S3cure-Pass!", "a doorstep full of leaves", "kite-lamp-42",
        "asha.rao likes green tea", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e 42",
        "x9$Kq2!m", "only-for-tests-" * 4, "p" * 1024, "tr0ub4dor&3x"]  # fmt: skip


@pytest.mark.parametrize("password", GOOD)
def test_password_that_is_reasonable_is_accepted(password: str) -> None:
    assert problem(password) is None


def test_password_with_short_username_in_longer_text_is_accepted() -> None:
    assert password_rules.problem("bob likes bobsleigh", username="bob", email="b@example.org") is None
    assert password_rules.problem("bob-lamp-42", username="bob", email="b@example.org") is None


def test_leaked_password_list_has_documented_size() -> None:
    """The number is in docs/adr/0074; both lists come from packages that may change."""
    assert len(password_rules._leaked_short()) > 11_000

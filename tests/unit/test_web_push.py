"""Encryption of push messages against the example of RFC 8291, and the keys of this installation."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from backend.core import web_push
from backend.core.web_push import BrowserKeys
from tests.factories.push import Browser, decoded

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SENDER_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl"
    "95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(value: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(value), "big"), ec.SECP256R1())


def test_encrypt_example_of_rfc_8291_matches() -> None:
    body = web_push.encrypt(PLAIN, BrowserKeys(RECEIVER, AUTH), sender=private(SENDER_PRIVATE), salt=decoded(SALT))
    assert web_push.encode(body) == BODY


def test_encrypted_message_is_read_by_browser_alone() -> None:
    browser = Browser(private(RECEIVER_PRIVATE), decoded(AUTH))
    assert browser.decrypt(web_push.encrypt(PLAIN, BrowserKeys(RECEIVER, AUTH))) == PLAIN
    with pytest.raises(Exception, match=r".*"):
        Browser().decrypt(web_push.encrypt(PLAIN, BrowserKeys(RECEIVER, AUTH)))


def test_encrypt_longest_payload_fits_one_record_and_longer_is_refused() -> None:
    keys = BrowserKeys(**Browser().keys)
    assert len(web_push.encrypt(b"x" * web_push.MAX_PAYLOAD_BYTES, keys)) == web_push.RECORD_SIZE
    with pytest.raises(ValueError, match="more than"):
        web_push.encrypt(b"x" * (web_push.MAX_PAYLOAD_BYTES + 1), keys)


@pytest.mark.parametrize(
    ("p256dh", "auth", "wrong"),
    [
        (RECEIVER, AUTH, set()),
        (RECEIVER[:-4], AUTH, {"p256dh"}),
        ("B" + "A" * 86, AUTH, {"p256dh"}),  # not a point of the curve
        (RECEIVER, AUTH[:-2], {"auth"}),
        ("not base64url!", "é", {"p256dh", "auth"}),
    ],
)
def test_check_keys_names_what_is_wrong(p256dh: str, auth: str, wrong: set[str]) -> None:
    assert set(web_push.check_keys(BrowserKeys(p256dh, auth))) == wrong

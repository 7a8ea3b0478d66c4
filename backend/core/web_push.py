"""Web push: messages encrypted for one browser (RFC 8291) and signed by this installation (VAPID, RFC 8292)."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hmac import digest
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.core.clock import now
from backend.core.security import signing

PURPOSE: Final = "web_push"
CURVE: Final = ec.SECP256R1()
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RECORD_SIZE: Final = 4096
MAX_PAYLOAD_BYTES: Final = RECORD_SIZE - 86 - 17  # header, and delimiter with the tag of AES-GCM (RFC 8291, section 4)
AUTH_BYTES: Final = 16
SALT_BYTES: Final = 16
TOKEN_SECONDS: Final = 12 * 3600  # RFC 8292, section 2, allows 24 hours; a clock may be wrong


@dataclass(frozen=True, slots=True)
class BrowserKeys:
    """The keys of a subscription: the browser's public key and its authentication secret, both in base64url."""

    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class ServerKey:
    """A signing key of this installation; ``public`` is the base64url form that browsers subscribe with."""

    private: ec.EllipticCurvePrivateKey
    public: str


def server_keys() -> list[ServerKey]:
    """Return the signing keys, the current one first; then those of earlier SECRET_KEYs, for older subscriptions."""
    return [_server_key(key) for key in signing.keys(PURPOSE)]


def authorization(key: ServerKey, endpoint: str, *, contact: str) -> str:
    """Return the Authorization header that a push service verifies. ``contact`` is a mailto: or https: URI."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now().timestamp()) + TOKEN_SECONDS, "sub": contact}
    return f"vapid t={jwt.encode(claims, key.private, algorithm='ES256')}, k={key.public}"


def check_keys(keys: BrowserKeys) -> dict[str, str]:
    """Return what is wrong with the keys, by field; empty if nothing is."""
    problems = {}
    try:
        _public_key(decode(keys.p256dh))
    except ValueError:
        problems["p256dh"] = "Must be an uncompressed P-256 public key in base64url."
    try:
        is_secret = len(decode(keys.auth)) == AUTH_BYTES
    except ValueError:
        is_secret = False
    if not is_secret:
        problems["auth"] = f"Must be {AUTH_BYTES} bytes in base64url."
    return problems


def encrypt(
    payload: bytes,
    keys: BrowserKeys,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push message: one record of aes128gcm (RFC 8188). ``sender`` and ``salt`` are for tests.

    Raises ValueError for a payload above MAX_PAYLOAD_BYTES.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"the payload has more than {MAX_PAYLOAD_BYTES} bytes")
    sender, salt = sender or ec.generate_private_key(CURVE), salt or os.urandom(SALT_BYTES)
    receiver, own = decode(keys.p256dh), _point(sender)
    shared = sender.exchange(ec.ECDH(), _public_key(receiver))
    material = _derived(decode(keys.auth), shared, b"WebPush: info\0" + receiver + own, length=32)
    key = _derived(salt, material, b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(salt, material, b"Content-Encoding: nonce\0", length=12)
    header = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, payload + b"\x02", None)


def decode(value: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError for anything else."""
    decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    if encode(decoded) != value:
        raise ValueError("not base64url")
    return decoded


def encode(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@lru_cache(maxsize=16)
def _server_key(secret: bytes) -> ServerKey:
    """Derive a key pair from a secret: a number of twice the order's length, reduced (FIPS 186-5, A.2.1)."""
    number = int.from_bytes(digest(secret, b"P-256", "sha512"), "big") % (ORDER - 1) + 1
    private = ec.derive_private_key(number, CURVE)
    return ServerKey(private, encode(_point(private)))


def _public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    if len(point) != 65:
        raise ValueError("not an uncompressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(salt: bytes, material: bytes, info: bytes, *, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)

"""A browser with a push subscription: its keys, and what it reads of the calls to its push service."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import digest
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.factories.servers import Post


class Browser:
    """Decrypts by RFC 8291 written out in HMACs, so that it shares no code with the sender."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes = b"0123456789abcdef") -> None:
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        self._auth = auth
        self._public = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        """Return the keys as the browser hands them to a page."""
        return {"p256dh": encoded(self._public), "auth": encoded(self._auth)}

    def read(self, post: Post) -> dict[str, Any]:
        """Return the message of a call, decrypted."""
        assert post.headers["Content-Encoding"] == "aes128gcm"
        return dict(json.loads(self.decrypt(post.raw)))

    def decrypt(self, raw: bytes) -> bytes:
        """Return the content of the only record."""
        salt, size, length = raw[:16], int.from_bytes(raw[16:20], "big"), raw[20]
        sender, record = raw[21 : 21 + length], raw[21 + length :]
        assert len(record) <= size
        shared = self._private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = digest(self._auth, shared, "sha256")
        material = digest(secret, b"WebPush: info\0" + self._public + sender + b"\x01", "sha256")
        prk = digest(salt, material, "sha256")
        key = digest(prk, b"Content-Encoding: aes128gcm\0\x01", "sha256")[:16]
        nonce = digest(prk, b"Content-Encoding: nonce\0\x01", "sha256")[:12]
        content = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert content.endswith(b"\x02")
        return content[:-1]


def verified_claims(post: Post, *, key: str, audience: str) -> dict[str, Any]:
    """Return the claims of a call's VAPID token, checked as a push service does (RFC 8292)."""
    scheme, _, rest = post.headers["Authorization"].partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, fields["k"]) == ("vapid", key)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    claims = dict(jwt.decode(fields["t"], public, algorithms=["ES256"], audience=audience))
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600
    return claims


def encoded(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(value: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))

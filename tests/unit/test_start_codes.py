"""The one-time password of the start code."""

import pytest

from backend.domain.task_requests.door_codes import hotp

# RFC 4226, appendix D.
SECRET = b"12345678901234567890"
VALUES = (
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
)  # fmt: skip


@pytest.mark.parametrize(("counter", "value"), list(enumerate(VALUES)))
def test_hotp_returns_values_of_rfc_4226(counter: int, value: str) -> None:
    assert hotp(SECRET, counter, digits=6) == value
    assert hotp(SECRET, counter, digits=4) == value[2:]


def test_hotp_keeps_leading_zeros() -> None:
    assert {len(hotp(SECRET, counter, digits=4)) for counter in range(200)} == {4}
    assert any(hotp(SECRET, counter, digits=4).startswith("0") for counter in range(200))

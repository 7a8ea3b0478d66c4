"""The networks that a client address is counted under."""

import pytest

from backend.core.security.client_networks import Prefixes, prefixes


@pytest.mark.parametrize(
    ("address", "near", "wide"),
    [
        ("192.0.2.7", "192.0.2.7", None),
        ("::ffff:192.0.2.7", "192.0.2.7", None),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::1", "::/64", "::/48"),
        ("unix:", "unix:", None),
        ("", "unknown", None),
        (None, "unknown", None),
    ],
)
def test_prefixes_of_address_return_near_and_wide_network(address: str | None, near: str, wide: str | None) -> None:
    assert prefixes(address) == Prefixes(near, wide)

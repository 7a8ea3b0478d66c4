"""Network addresses as limits count them: an IPv6 user has a whole /64 to call from, an IPv4 user one address."""

import ipaddress
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "unknown"
NEAR_BITS: Final = 64  # what one connection is given at least (RFC 6177)
WIDE_BITS: Final = 48  # what one site may be given
WIDE_FACTOR: Final = 10  # a limit for a /48 is so many times that for a /64


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What an address is counted under: ``near`` always, ``wide`` (a /48) for IPv6 only."""

    near: str
    wide: str | None = None


def prefixes(address: str | None) -> Prefixes:
    """Return the keys for a caller's address. IPv4 addresses that are written as IPv6 ones are counted as IPv4."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return Prefixes(address or UNKNOWN)
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if isinstance(found, ipaddress.IPv4Address):
        return Prefixes(str(found))
    return Prefixes(_network(found, NEAR_BITS), _network(found, WIDE_BITS))


def _network(address: ipaddress.IPv6Address, bits: int) -> str:
    return str(ipaddress.IPv6Network((int(address), bits), strict=False))

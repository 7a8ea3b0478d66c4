"""Client networks for rate limits: an IPv6 client controls at least a /64, an IPv4 client one address."""

import ipaddress
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "unknown"
NEAR_BITS: Final = 64  # the least that one connection is assigned (RFC 6177)
WIDE_BITS: Final = 48  # the most that one site is assigned
WIDE_FACTOR: Final = 10  # the limit for a /48 is this many times that for a /64


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The keys under which an address is counted: ``near`` always, ``wide`` (a /48) for IPv6 only."""

    near: str
    wide: str | None = None


def prefixes(address: str | None) -> Prefixes:
    """Return the keys for a client's address. IPv4-mapped IPv6 addresses are counted as IPv4."""
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

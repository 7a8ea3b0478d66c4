"""Who may read /metrics: clients in METRICS_FROM that called directly."""

import ipaddress
from typing import Final, Protocol

from backend.settings import Settings

FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
EVERYONE: Final = ("0.0.0.0/0", "::/0")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class HeaderNames(Protocol):
    """The names of a call's headers, in any case."""

    def __contains__(self, name: str, /) -> bool: ...


class MetricsAccess:
    """Decides by the client's address. Forwarded calls are refused, because a proxy hides the client."""

    def __init__(self, settings: Settings) -> None:
        allowed = EVERYONE if settings.metrics_open else settings.metrics_from
        self._networks: list[Network] = [ipaddress.ip_network(network, strict=False) for network in allowed]

    def allows(self, address: str, headers: HeaderNames) -> bool:
        """Return whether to serve a client with this address and these headers."""
        if any(name in headers for name in FORWARDED):
            return False
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
            client = client.ipv4_mapped
        return any(client in network for network in self._networks)

    @property
    def listen_on(self) -> str:
        """Return the address to listen on: loopback, unless other clients are allowed."""
        remote = [network for network in self._networks if not network.is_loopback]
        if remote:
            return "::" if any(network.version == 6 for network in remote) else "0.0.0.0"  # noqa: S104 - METRICS_FROM asks for it
        return "127.0.0.1" if any(network.version == 4 for network in self._networks) else "::1"

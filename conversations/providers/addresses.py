"""Which network addresses belong to the public internet. Pure; names are resolved elsewhere.

An endpoint that people set must not lead into the network of the server: to its loopback, to its neighbours, or to the
address at which a cloud tells a machine its secrets. The address is looked at that is then connected to, so a name that
means something else a moment later gains nothing.
"""

import ipaddress
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Public by their number, but answered by the cloud for the machine itself.
_OF_CLOUDS = frozenset({ipaddress.ip_address("168.63.129.16")})
# Older versions of Python count parts of it as public; a cloud answers there, too.
_OF_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")


def is_public(text: str) -> bool:
    """Whether this numeric address, and every IPv4 address inside it, is one of the public internet."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(_is_public(one) for one in (address, *_inside(address)))


def _is_public(address: Address) -> bool:
    is_mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    is_special = address.is_multicast or address in _OF_CLOUDS or address in _OF_PROTOCOLS
    return (address.is_global or is_mapped) and not is_special


def _inside(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for, in every way there is of writing one into the other."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)

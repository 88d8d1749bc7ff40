"""Where an endpoint that people set may lead: the public internet, by the address that is connected to."""

import socket
from dataclasses import replace
from typing import Any

import pytest

from conversations.providers import addresses, errors, wire
from conversations.providers.base import Endpoint
from conversations.providers.turns import ChatRequest

from .byteserver import ByteServer
from .forms import KEY, C, user
from .reading import HELLO

PUBLIC = ("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")
PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",  # the metadata of Alibaba's cloud
    "169.254.169.254",  # of most others
    "169.254.170.2",
    "168.63.129.16",  # of Azure
    "192.0.0.192",  # of Oracle's
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a00:1",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
    "",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_lead_elsewhere(address: str) -> None:
    assert not addresses.is_public(address)


def ask(endpoint: Endpoint) -> list[Any]:
    return list(wire.events(C.vendor, C.model, endpoint, ChatRequest((user("Hi"),)), call=wire.Call()))


def test_an_endpoint_held_to_the_public_internet_is_not_connected_to_elsewhere() -> None:
    with ByteServer([HELLO]) as server:
        with pytest.raises(errors.PrivateAddress):
            ask(Endpoint(server.url, KEY, public_only=True))
        assert not server.accepted.is_set()
        assert ask(Endpoint(server.url, KEY))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "017700000001"])
def test_a_name_counts_for_what_it_means_when_it_is_connected_to(host: str) -> None:
    with ByteServer([HELLO]) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(errors.ProviderError) as caught:
            ask(Endpoint(f"http://{host}:{port}", KEY, public_only=True))
        assert caught.value.code in ("private_address", "network")
        assert not server.accepted.is_set()


def test_a_name_with_one_address_elsewhere_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver is the far side here."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    with pytest.raises(errors.PrivateAddress):
        ask(Endpoint("http://two.example", KEY, public_only=True))


def test_a_connection_that_another_endpoint_was_allowed_is_not_used_by_one_that_is_not() -> None:
    with ByteServer([HELLO], [HELLO]) as server:
        allowed = Endpoint(server.url, KEY)
        assert ask(allowed)
        with pytest.raises(errors.PrivateAddress):
            ask(replace(allowed, public_only=True))
        assert len(server.received) == 1


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
def test_no_redirect_is_followed(status: str) -> None:
    with ByteServer([HELLO]) as target:
        moved = f"HTTP/1.1 {status}\r\nLocation: {target.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with ByteServer([moved]) as server, pytest.raises(errors.ProviderError):
            ask(Endpoint(server.url, KEY))
        assert not target.accepted.is_set()


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1/", "//x/", "x"])
def test_only_http_and_https_are_spoken(address: str) -> None:
    with pytest.raises(errors.NotConfigured):
        ask(Endpoint(address, KEY))

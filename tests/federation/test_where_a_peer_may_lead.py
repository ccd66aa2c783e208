"""What a peer answers must not lead this hub elsewhere: not to another host, into its own network or to itself."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from federation.models import Peer
from federation.services.connections import home_of, session_with
from federation.services.peers import forget_storage, name_storage, suspend_peer
from federation.services.reach import may_be_reached
from hashshare.client.session import Session
from hashshare.peering_keys import peer_key
from hashshare.wire import errors, keys
from tests.builders import now
from tests.federation.builders import Hub, accepted, hub, north
from tests.federation.conftest import Answering

pytestmark = pytest.mark.django_db

Start = Callable[..., Answering]
OBJECT = "tuf/aurora.example/targets/3f9c0a51d2e4b786/abc.manifest.json"


def peer_at(process: Answering) -> Hub:
    """North, accepted, at the address of a process; with a token, so that nothing else is asked first."""
    made = accepted(hub(f"127.0.0.1:{process.port}", url=process.url))
    document = {
        "hub_url": process.url,
        "key_id": keys.fingerprint(peer_key().public),
        "token": "a-token-that-nobody-else-may-see",
        "until": time.time() + 600,
    }
    (home_of(made.peer).path / "token.json").write_text(json.dumps(document))
    return made


def redirected_to(start: Start, target: str) -> tuple[Hub, Session]:
    made = peer_at(start("redirect", target.encode()))
    return made, session_with(made.peer)


@pytest.mark.parametrize("stream", [False, True])
def test_it_is_led_to_no_other_host(answering: Start, stream: bool) -> None:
    other = answering("descriptor", b"{}")
    _, session = redirected_to(answering, other.url)

    for path in ("heads", "/.well-known/hashshare", "tuf/aurora.example/metadata/timestamp.json", OBJECT):
        with pytest.raises(errors.AddressRefused, match=f"127.0.0.1:{other.port}"):
            session.get(path, stream=stream)
    with pytest.raises(errors.AddressRefused):
        session.send("POST", "acknowledgements", json={})


def test_it_fetches_objects_and_nothing_else_from_storage_that_was_named(answering: Start) -> None:
    storage = answering("descriptor", b'{"here": 1}')
    made, session = redirected_to(answering, f"{storage.url}/bucket/abc?signature=1")
    name_storage(name=made.name, host=f"127.0.0.1:{storage.port}")
    session = session_with(made.peer)

    assert session.get(OBJECT).json() == {"here": 1}
    for path in ("heads", "tuf/aurora.example/metadata/timestamp.json", "/log/publication/targets/"):
        with pytest.raises(errors.AddressRefused):
            session.get(path)

    forget_storage(name=made.name, host=f"127.0.0.1:{storage.port}")
    with pytest.raises(errors.AddressRefused):
        session_with(made.peer).get(OBJECT)


def test_it_is_led_into_its_own_network_by_no_name_that_was_allowed(
    answering: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator named the storage; whoever keeps its name in the DNS points it at a machine of ours."""
    made, _ = redirected_to(answering, "https://storage.example/x")
    name_storage(name=made.name, host="storage.example")
    asked = resolve(monkeypatch, {"storage.example": ["10.0.0.1"], "127.0.0.1": ["127.0.0.1"]})

    with pytest.raises(errors.AddressRefused, match=r"storage\.example stands for an address inside"):
        session_with(made.peer).get(OBJECT)

    assert "10.0.0.1" not in asked  # nothing was connected to


def resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Names stand for these addresses; what was asked for, in its order."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_it_connects_to_the_address_that_it_asked_about(answering: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something else at every question is asked once for each connection."""
    process = answering("descriptor", b'{"here": 1}')
    made = peer_at(process)
    asked = resolve(monkeypatch, {"127.0.0.1": ["127.0.0.1"], "localhost": ["127.0.0.1"]})
    Peer.objects.filter(name=made.name).update(url=f"http://localhost:{process.port}")
    session = session_with(made.peer)
    session._token = ("a-token", time.time() + 600)

    assert session.get("heads").json() == {"here": 1}

    assert asked.count("localhost") == 1
    assert asked[1:] == ["127.0.0.1"]


def test_it_refuses_a_name_of_which_one_address_is_inside(answering: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    made = accepted(hub("north.example"))
    session = session_with(made.peer)
    session._token = ("a-token", time.time() + 600)
    resolve(monkeypatch, {"north.example": ["93.184.216.34", "10.0.0.1"]})

    with pytest.raises(errors.AddressRefused):
        session.get("heads")


INSIDE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2001::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_it_reaches_nothing_inside_of_a_network(address: str, settings: Settings) -> None:
    settings.HASHSHARE_PUBLIC_URL = "https://south.example"

    assert not may_be_reached(address)


def test_it_reaches_public_addresses_and_networks_that_the_operator_named(settings: Settings) -> None:
    settings.HASHSHARE_PUBLIC_URL = "https://south.example"
    for address in ("93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"):
        assert may_be_reached(address)

    settings.HASHSHARE_PEER_NETWORKS = (
        ip_network("10.20.0.0/16"),
        ip_network("fd00:1::/32"),
        ip_network("127.0.0.0/8"),
    )
    assert [may_be_reached(it) for it in ("10.20.3.4", "fd00:1::9", "10.21.0.1")] == [True, True, False]
    assert not may_be_reached("127.0.0.1")  # this machine is nobody's network


def test_it_reaches_this_machine_where_the_hub_itself_is_at_home_on_it() -> None:
    assert may_be_reached("127.0.0.1")
    assert may_be_reached("::1")
    assert not may_be_reached("10.0.0.1")


def test_it_asks_nothing_of_a_peer_that_is_suspended_or_was_never_accepted() -> None:
    made = north()
    suspend_peer(name=made.name, now=now())

    with pytest.raises(errors.NotAPeer, match="suspended: nothing is asked"):
        session_with(made.peer)


def test_it_names_storage_within_bounds() -> None:
    made = north()
    for host in ("", "https://x", "a/b", "a b", "-x", "x:123456", "x" * 300):
        with pytest.raises(errors.UsageError):
            name_storage(name=made.name, host=host)
    for number in range(16):
        name_storage(name=made.name, host=f"s{number}.example")
    assert len(name_storage(name=made.name, host="S3.example").storage) == 16
    with pytest.raises(errors.UsageError, match="at most 16"):
        name_storage(name=made.name, host="more.example")
    with pytest.raises(errors.NotFound):
        forget_storage(name=made.name, host="more.example")

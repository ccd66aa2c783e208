"""The first thing that is asked of a stranger: bounded in time and bytes, and led nowhere. Against real processes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from federation.models import Peer
from federation.services import descriptors
from federation.services.descriptors import checked_address, fetch_descriptor
from federation.services.peers import introduce_peer
from hashshare.wire import errors
from hashshare.wire.documents import write_object
from tests.builders import now
from tests.federation.builders import Hub, hub
from tests.federation.conftest import Answering

Start = Callable[..., Answering]


@pytest.mark.django_db
def test_it_introduces_the_hub_that_answers(north_answers: tuple[Hub, Answering]) -> None:
    made, process = north_answers

    peer = introduce_peer(url=f"{process.url}/", now=now())

    assert (peer.name, peer.fingerprint) == (made.name, made.descriptor.fingerprint)
    assert Peer.objects.get() == peer


def test_it_takes_nobody_s_word_for_another_address(answering: Start) -> None:
    process = answering("descriptor", b'{"hub": "x"}')
    for elsewhere in (hub("south.example"), hub(f"127.0.0.1:{process.port}", url="https://south.example")):
        process.say(_document(elsewhere))
        with pytest.raises(errors.PeerDiffers, match="says that it is"):
            fetch_descriptor(process.url)


def test_it_follows_no_redirect(answering: Start, north_answers: tuple[Hub, Answering]) -> None:
    for target in (north_answers[1].url, "https://storage.example/x", "http://127.0.0.1:5432/", "//[", "/elsewhere"):
        process = answering("redirect", target.encode())
        with pytest.raises(errors.NetworkError) as refused:
            fetch_descriptor(process.url)
        assert type(refused.value) is (errors.NetworkError if target == "//[" else errors.AddressRefused)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("endless", errors.MalformedDescriptor),
        ("headers", errors.NetworkError),
        ("interim", errors.NetworkError),
        ("slow", errors.TooSlow),
        ("slow-headers", errors.TooSlow),
        ("silent", errors.NetworkError),
    ],
)
def test_it_gives_up_on_answers_without_end(
    answering: Start, how: str, error: type[errors.HashshareError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "SECONDS", 1.0)
    monkeypatch.setattr(descriptors, "WITHIN", 3.0)
    process = answering(how)
    begun = time.monotonic()

    with pytest.raises(error) as refused:
        fetch_descriptor(process.url)

    assert type(refused.value) is error
    assert time.monotonic() - begun < 60  # it would never end


def test_it_says_which_of_http_and_https_the_other_speaks(answering: Start) -> None:
    plain = answering("descriptor", b"{}")
    with pytest.raises(errors.NetworkError, match=r"speaks plain http:// there, not https://") as refused:
        fetch_descriptor(plain.url.replace("http:", "https:"))
    assert f"{plain.url}/ may be it" in refused.value.next_step
    with pytest.raises(errors.NetworkError, match="broke off without an answer to plain http") as refused:
        fetch_descriptor(answering("gone").url)
    assert "say so: https://127.0.0.1:" in refused.value.next_step
    with pytest.raises(errors.NetworkError, match=r"speaks https:// there, not plain http"):
        fetch_descriptor(answering("https").url)


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b"<html>", b"\xff", b'{"hub": "a", "hub": "b"}'])
def test_it_refuses_what_is_no_descriptor(answering: Start, said: bytes) -> None:
    process = answering("descriptor", said)

    with pytest.raises(errors.MalformedDescriptor):
        fetch_descriptor(process.url)


def test_it_asks_nothing_of_this_machine_unless_it_is_at_home_there_itself(
    north_answers: tuple[Hub, Answering], settings: Settings
) -> None:
    settings.HASHSHARE_PUBLIC_URL = "https://south.example"

    for url in (north_answers[1].url, f"https://localhost:{north_answers[1].port}"):
        with pytest.raises(errors.AddressRefused, match="nothing was asked there"):
            fetch_descriptor(url)


def test_it_takes_addresses_of_hubs_and_nothing_else() -> None:
    assert checked_address(" https://North.Example/ ") == "https://north.example"
    assert checked_address("https://north.example:8443") == "https://north.example:8443"
    for text in ("north.example", "ftp://north.example", "https://", "https://north.example/x", "https://n/?x", "https://n/#x",
                 "https://ada:pw@north.example", "https://[", "https://n:x", "https://" + "n" * 400):  # fmt: skip
        with pytest.raises(errors.UsageError):
            checked_address(text)
    with pytest.raises(errors.InsecureTransport):
        checked_address("http://north.example")


def _document(made: Hub) -> bytes:
    return write_object(made.document())

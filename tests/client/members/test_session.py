"""The conversation with the hub: waiting when told, renewing the token, never sending credentials astray."""

from __future__ import annotations

import gzip

import pytest

from hashshare.client.addresses import checked_redirect, checked_url
from hashshare.client.answers import MAX_ANSWER
from hashshare.client.session import Session
from hashshare.wire.errors import (
    HubFailure,
    InsecureTransport,
    NetworkError,
    NotAuthenticated,
    NotEntitled,
    TooManyRequests,
    UsageError,
)
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def session(cobalt: Cobalt, waits: list[float]) -> Session:
    opened = cobalt.session
    opened.wait = waits.append
    return opened


def test_it_waits_as_long_as_retry_after_says(session: Session, north: North, waits: list[float]) -> None:
    north.faults.append(Fault("heads", status=429, headers={"Retry-After": "7"}))
    assert session.get_json("heads")["lists"]
    assert len(waits) == 1
    assert 7 <= waits[0] <= 7.7


def test_it_does_not_wait_for_an_hour(session: Session, north: North, waits: list[float]) -> None:
    north.faults.append(Fault("heads", status=429, headers={"Retry-After": "3600"}, times=9))
    with pytest.raises(TooManyRequests):
        session.get_json("heads")
    assert waits == []


def test_a_signed_request_is_signed_anew_when_repeated(session: Session, north: North) -> None:
    north.faults.append(Fault("tokens", status=503))
    assert session.get_json("heads")["lists"]
    tokens = [headers["Signature-Input"] for _, path, headers in north.requests if path.endswith("tokens")]
    assert len(set(tokens)) == len(tokens) == 2


def test_a_hub_that_keeps_failing_is_said(session: Session, north: North) -> None:
    north.faults.append(Fault("heads", status=502, times=9))
    with pytest.raises(HubFailure):
        session.get_json("heads")


def test_it_takes_a_new_token_when_the_old_one_is_refused(session: Session, north: North) -> None:
    session.get_json("heads")
    north.tokens.clear()
    assert session.get_json("heads")["lists"]


def test_a_token_is_kept_between_runs(session: Session, cobalt: Cobalt, north: North) -> None:
    session.get_json("heads")
    cobalt.session.get_json("heads")
    assert sum(path.endswith("tokens") for path in north.paths("POST")) == 1


def test_a_revoked_key_is_not_allowed(session: Session, cobalt: Cobalt, north: North) -> None:
    north.revoked.add(session.key_id)
    with pytest.raises(NotAuthenticated):
        session.get_json("heads")
    assert cobalt.run("sync").status == 3


def test_it_raises_what_the_problem_says(session: Session) -> None:
    with pytest.raises(NotEntitled):
        session.get_json("publishers/delta.example")


@pytest.mark.parametrize("url", ["http://hub.example/", "http://10.0.0.1:8000", "http://127.0.0.1.example"])
def test_it_refuses_plain_http_off_loopback(url: str) -> None:
    with pytest.raises(InsecureTransport):
        checked_url(url)


@pytest.mark.parametrize("url", ["ftp://hub.example", "hub.example", "https://", "https://me:secret@hub.example"])
def test_it_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        checked_url(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost", "https://hub.example"]
)
def test_it_allows_https_and_loopback(url: str) -> None:
    assert checked_url(url) == url


def test_it_does_not_follow_a_redirect_to_plain_http(session: Session, north: North) -> None:
    north.faults.append(Fault("heads", status=302, headers={"Location": "http://hub.example/heads"}))
    with pytest.raises(InsecureTransport):
        session.get_json("heads")


def test_a_hub_elsewhere_does_not_send_it_to_this_machines_own_services() -> None:
    hub = "https://hub.example"
    here = ("http://127.0.0.1:9200/_search", "http://localhost/", "http://[::1]:80/", "https://127.0.0.1:8443/")
    for target in here:
        assert checked_redirect(target, hub_url="http://127.0.0.1:8000") == target
        with pytest.raises(InsecureTransport):
            checked_redirect(target, hub_url=hub)
    assert checked_redirect("https://objects.example/x", hub_url=hub) == "https://objects.example/x"


@pytest.mark.parametrize("target", ["ftp://objects.example/x", "https://me:word@objects.example/x", "https:///x"])
def test_a_redirect_goes_to_an_address_or_nowhere(target: str) -> None:
    with pytest.raises(UsageError):
        checked_redirect(target, hub_url="https://hub.example")


def test_the_address_of_a_redirect_is_not_repeated_in_an_error() -> None:
    """It may be presigned: whoever reads it in a log could fetch the object."""
    with pytest.raises(InsecureTransport) as caught:
        checked_redirect("http://objects.example/x?X-Amz-Signature=0123", hub_url="https://hub.example")
    assert "Signature" not in str(caught.value)
    assert "objects.example" in str(caught.value)


@pytest.mark.parametrize("status", [200, 403])
def test_it_reads_no_more_of_an_answer_than_can_be_meant(session: Session, north: North, status: int) -> None:
    """Spaces are JSON; a thousand times as many as were sent."""
    bomb = gzip.compress(b" " * (MAX_ANSWER + 1))
    assert len(bomb) < 100_000
    north.faults.append(Fault("heads", status=status, body=bomb, headers={"Content-Encoding": "gzip"}, times=9))
    with pytest.raises(NetworkError, match="more than 32 MiB"):
        session.get("heads")


def test_credentials_stay_at_the_hub_when_it_redirects(session: Session, north: North) -> None:
    elsewhere = f"http://localhost:{north.port}/api/v1/status"
    north.faults.append(Fault("heads", status=307, headers={"Location": elsewhere, "Set-Cookie": "who=cobalt"}))
    own = {"Range": "bytes=5-", "If-None-Match": '"held"', "X-Own": "something"}
    session._http.cookies.set("who", "cobalt")
    with pytest.raises(NetworkError, match=r"localhost:\d+, where the hub sends us for the object, answers 401"):
        session.get("heads", headers=own)
    [astray] = [headers for _, _, headers in north.requests if headers["Host"].startswith("localhost")]
    said = {name.lower() for name in astray} - {"host", "connection"}
    assert said == {"range", "user-agent", "accept", "accept-encoding"}
    assert astray["Range"] == "bytes=5-"


def test_another_hosts_refusal_is_not_taken_for_the_hubs(session: Session, north: North) -> None:
    """An address that ended on the way: no word of the hub on whether one may read."""
    elsewhere = f"http://localhost:{north.port}/gone"
    north.faults.append(Fault("heads", status=307, headers={"Location": elsewhere}))
    north.faults.append(Fault("gone", status=403))
    with pytest.raises(NetworkError, match="answers 403"):
        session.get("heads")


def test_a_signed_request_is_not_redirected(session: Session, north: North) -> None:
    north.faults.append(Fault("tokens", status=307, headers={"Location": f"{north.url}/elsewhere"}))
    with pytest.raises(NetworkError, match="redirects"):
        session.get_json("heads")


def test_a_password_in_netrc_is_not_sent(
    session: Session, north: North, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("netrc") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session._http.trust_env = True
    session.get_json("heads")
    assert all(headers.get("Authorization", "Bearer ").startswith("Bearer ") for _, _, headers in north.requests)


def test_a_hub_that_is_away_is_exit_5(cobalt: Cobalt) -> None:
    config = cobalt.home.config_path
    config.write_text(config.read_text().replace(cobalt.north.url, "http://127.0.0.1:9"))
    session = cobalt.session
    session.wait = lambda _: None
    with pytest.raises(NetworkError, match="cannot be reached"):
        session.get_json("heads")

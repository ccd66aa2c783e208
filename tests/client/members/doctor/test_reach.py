"""A hub out of reach: which link of the way is broken is told apart, each by a fault that is real."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hashshare.client.doctor.reach import Reached, judge, reach
from tests.client.members.conftest import Cobalt
from tests.client.members.doctor.conftest import doctor
from tests.client.members.north import Fault, North


def test_a_hub_that_answers(north: North) -> None:
    assert reach(north.url).fault == ""


def test_a_port_on_which_nothing_listens(healthy: Cobalt) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        config = healthy.home.config_path
        port = unused.getsockname()[1]
        config.write_text(config.read_text().replace(healthy.north.url, f"http://127.0.0.1:{port}"))
        told = doctor(healthy)
    assert (told.status, told.ill) == (5, {"hub"})
    assert "refuses the connection" in told.bad("hub")["says"]
    assert told.of("account", state="skipped")


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver's own answer, without asking one: no test leaves this machine."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    found = reach("https://hub.example")
    assert (found.fault, "does not resolve" in judge(found).says) == ("name", True)


def test_a_hub_that_takes_the_connection_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert reach(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=(1, 0.2)).fault == "timeout"


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        found = reach("https://hub.example", timeout=(1, 1))
    assert found.fault == "proxy"
    assert "HTTPS_PROXY" in judge(found).next_step


@pytest.mark.parametrize(("days", "words"), [(30, "self-signed"), (-1, "expired")])
def test_a_certificate_that_does_not_verify(tmp_path: Path, days: int, words: str) -> None:
    with tls_server(tmp_path, days=days) as (url, certificate):
        found = reach(url)
        assert found.fault == "tls"
        if days < 0:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
                found = reach(url)
    assert words in found.detail.replace(" ", "-" if words == "self-signed" else " ")
    assert "REQUESTS_CA_BUNDLE" in judge(found).next_step


def test_a_certificate_of_ones_own_authority_verifies_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path, days=30) as (url, certificate):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert reach(url).fault == "broken", "it is reached, and is no hub"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("well-known", status=200, body=b"<html>Sign in to the hotel network</html>"), "other"),
        (Fault("well-known", status=302, headers={"Location": "http://127.0.0.1/"}), "other"),
        (Fault("well-known", status=200, body=b"[1]"), "other"),
        (Fault("well-known", status=503, body=b"{}"), "broken"),
    ],
)
def test_something_else_answers(north: North, fault: Fault, kind: str) -> None:
    north.faults.append(fault)
    found = reach(north.url)
    assert found.fault == kind
    assert judge(found).next_step


def test_a_connection_that_breaks_off(north: North) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        assert reach(f"http://127.0.0.1:{server.getsockname()[1]}").fault == "broken"


def test_every_fault_has_words() -> None:
    faults = ("name", "refused", "unreachable", "timeout", "proxy", "tls", "broken", "other")
    told = {judge(Reached("hub.example", fault, "why")).says for fault in faults}
    assert len(told) == len(faults)


@contextlib.contextmanager
def tls_server(folder: Path, *, days: int) -> Iterator[tuple[str, Path]]:
    """A server with a certificate of its own making, good for so many days from a month ago; its address, the file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "North")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}", certificate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

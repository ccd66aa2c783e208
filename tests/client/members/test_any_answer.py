"""Whatever comes back in place of a hub's answer, the session makes sense of it or raises an error of its own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hashshare.client.answers import json_of, retry_after, skew_of
from hashshare.client.polling import heads
from hashshare.client.problems import error_of
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError
from tests.client.members.conftest import Cobalt

SIGNS = st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")
HEADERS = (
    "Date", "Retry-After", "Location", "Content-Length", "Content-Encoding", "Content-Type", "Transfer-Encoding",
    "ETag", "Age", "Set-Cookie", "Content-Range", "Link",
)  # fmt: skip
WORDS = (
    "Sat, 28 Nov 2026 12:00:00 -0000", "Sat, 28 Nov 99999999999999999999 12:00:00 GMT", "nan", "1e999", "-1", "gzip",
    "chunked", "http://[", "http://127.0.0.1:99999/", "//", "https://\u00ff.example/", "br, gzip", "9" * 5000,
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b'{"lists":[]}', b"[" * 100_000, b'{"lists":[{"role_version":1e999}]}', b"9" * 5_000, b"NaN",
    b'"\\ud800"', b"\xff\xfe", b'{"token":"\\u4e2d","expires_in":5}', b'{"token":"x","expires_in":1e999}',
    b'{"token":"x\\r\\ny","expires_in":60}', b'{"token":"x","expires_in":true}',
)  # fmt: skip


class Liar:
    """A server that answers every connection with the same bytes."""

    def __init__(self) -> None:
        self.answer = b""
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.door.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                try:
                    caller.recv(65536)
                    caller.sendall(self.answer)
                except OSError:
                    continue


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    made = Liar()
    yield made
    made.door.close()


@example(status=b"307 -", headers=[("Location", "http://[")], body=b"", raw=None)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([b"200 OK", b"304 -", b"307 -", b"404 -", b"429 -", b"500 -", b"999 -", b"x", b"\xff"]),
    headers=st.lists(
        st.tuples(st.sampled_from(HEADERS), st.one_of(st.sampled_from(WORDS), st.text(SIGNS))), max_size=4
    ),
    body=st.one_of(st.sampled_from(BODIES), st.binary(max_size=200)),
    raw=st.one_of(st.none(), st.binary(max_size=60)),
)
def test_any_bytes_on_the_line(
    liar: Liar, cobalt: Cobalt, status: bytes, headers: list[tuple[str, str]], body: bytes, raw: bytes | None
) -> None:
    lines = [b"HTTP/1.1 " + status, *(f"{name}: {text}".encode("latin-1") for name, text in headers)]
    liar.answer = b"\r\n".join([*lines, b"", body]) if raw is None else raw
    session = Session(liar.url, key=keys.generate())
    session.wait = lambda seconds: None
    for ask in (lambda: session.send("POST", "tokens"), lambda: heads(session, cobalt.home)):
        try:
            ask()
        except HashshareError as error:
            assert error.message


@given(text=st.one_of(st.sampled_from(WORDS), st.text(SIGNS)))
@example("Sat, 28 Nov 2026 12:00:00 -0000")
@example("Sat, 28 Nov 99999999999999999999 12:00:00 GMT")
def test_any_time_in_a_header(text: str) -> None:
    response = requests.Response()
    response.headers.update({"Date": text, "Retry-After": text})
    assert retry_after(response, default=1.0) >= 0
    assert isinstance(skew_of(response, default=0), int)


@pytest.mark.parametrize("body", [body for body in BODIES if body not in (b"null", b"[]", b'{"lists":[]}')])
def test_what_no_reader_should_take_for_json(body: bytes) -> None:
    response = requests.Response()
    response._content = body
    if body.startswith((b'{"token', b'"')) and b"1e999" not in body:
        assert json_of(response) == json.loads(body)
        return
    with pytest.raises(ValueError, match=r"."):
        json_of(response)


@given(
    document=st.dictionaries(
        st.one_of(st.text(max_size=8), st.sampled_from(["type", "title", "status", "detail", "next_step", "args"])),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4),
    ),
    status=st.integers(0, 999),
)
def test_any_problem_is_an_error_of_the_tree(document: dict[str, Any], status: int) -> None:
    assert isinstance(error_of(document, status=status), HashshareError)

"""Requests to the hub: addresses, signatures, the bearer token, retries, problem documents.

What is asked and what the answers mean is for the callers. Secrets never reach a log or an error message.
"""

from __future__ import annotations

import contextlib
import json as jsonlib
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client import problems
from hashshare.client.addresses import ANYWHERE, Reach, checked_url, is_loopback
from hashshare.client.answers import decoded, decoded_object, network_error, read_whole, retry_after, skew_of
from hashshare.client.home import Home, read_json, write_json
from hashshare.client.patience import Transport, paced, patience, unreachable_name, was_too_slow
from hashshare.wire import keys, signatures
from hashshare.wire.errors import NetworkError
from hashshare.wire.segments import file_sha256

API: Final = "/api/v1/"
CONNECT_SECONDS: Final = 10.0
ATTEMPTS: Final = 4
MAX_PATIENCE: Final = 120.0
"""Seconds that one request may spend waiting for Retry-After in all."""
MAX_REDIRECTS: Final = 5
TOKEN_MARGIN: Final = 30.0
"""Seconds before its end at which a token is no longer used."""


_RETRIED = frozenset({429, 502, 503, 504})
_REFUSED_UNHANDLED = frozenset({429, 503})
"""Statuses that say that the request was not acted upon, so that even a POST may be repeated."""

_TOKEN = re.compile(r"[!-~]{1,4096}")
"""What may stand in a header."""

_CARRIED_ON = frozenset({"range", "if-range", "accept", "accept-encoding", "user-agent"})
"""What a redirect to another host takes along: no credential, no cookie, nothing that names who asks."""

_RANDOM = random.SystemRandom()


class _NoAuth(requests.auth.AuthBase):
    """Keeps requests from putting a ~/.netrc password in place of our own Authorization header."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Session:
    """A hub at one address, spoken to as one organisation. Safe for use from several threads.

    GETs carry a bearer token (kept in HOME/token.json, renewed when needed), everything else is signed (RFC 9421).
    Answers other than 2xx, 304 and 416 raise the class of wire.errors that the problem document names.
    """

    def __init__(
        self,
        hub_url: str,
        *,
        key: Ed25519PrivateKey,
        token_path: Path | None = None,
        warn: Callable[[str], None] = lambda _: None,
        reach: Reach = ANYWHERE,
    ) -> None:
        """`warn` takes a line for whoever waits for the hub, `reach` says where it may lead us. Raises UsageError,
        InsecureTransport.
        """
        self.hub_url = checked_url(hub_url).rstrip("/")
        self.key = key
        self.key_id = keys.fingerprint_of(key)
        self._token_path = token_path
        self._token: tuple[str, float] | None = None
        self._token_lock = threading.Lock()
        self._reach = reach
        self._http = paced(requests.Session(), Transport(reachable=reach.reachable))
        self._timeout = (CONNECT_SECONDS, patience())
        self._http.auth = _NoAuth()
        self._http.headers["User-Agent"] = "hashshare"
        if is_loopback(urlsplit(self.hub_url).hostname or ""):
            # A proxy named by the environment cannot reach this machine's own loopback.
            self._http.trust_env = False
            self._http.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self.clock_skew: int | None = None
        """Seconds by which this machine's clock is ahead of the hub's, by the hub's last answer."""
        self.wait: Callable[[float], None] = time.sleep
        self.warn = warn

    @classmethod
    def open(cls, home: Home, *, warn: Callable[[str], None] = lambda _: None) -> Session:
        """The enrolled hub. Raises NotEnrolled."""
        config = home.config()
        session = cls(config.hub_url, key=keys.load(home.key_path), token_path=home.account / "token.json", warn=warn)
        if config.key_id != session.key_id:
            # A rotation was killed between the key's rename and this.
            home.save_config(replace(config, key_id=session.key_id))
        return session

    def url(self, path: str) -> str:
        """`path` below /api/v1/ (`heads`), from the hub's root when it starts with a slash, or a whole address."""
        if path.startswith(("https://", "http://")):
            return path
        return self.hub_url + (path if path.startswith("/") else API + path)

    # --- reading ---

    def get(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """GET, retried on 429/502/503/504 and broken connections. 304 and 416 are returned like 200."""
        response = self._get(path, headers=headers, stream=stream, params=params)
        if response.status_code == 401:
            # The hub may have changed its token key, or our clock: one new token, then the answer counts.
            response.close()
            self._forget_token()
            response = self._get(path, headers=headers, stream=stream, params=params)
        problems.raise_for_problem(response)
        return response

    def get_json(self, path: str, *, params: Mapping[str, str] | None = None) -> Any:
        return decoded(self.get(path, params=params))

    def _get(
        self, path: str, *, headers: Mapping[str, str] | None, stream: bool, params: Mapping[str, str] | None
    ) -> requests.Response:
        def prepare() -> requests.PreparedRequest:
            own = {**(headers or {}), "Authorization": f"Bearer {self._bearer()}"}
            if stream:
                own["Accept-Encoding"] = "identity"
            request = requests.Request("GET", self.url(path), headers=own, params=dict(params or {}))
            return self._http.prepare_request(request)

        return self._exchange(prepare, stream=stream, retried=_RETRIED, reconnect=True)

    # --- without saying who asks ---

    def ask(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, told: int = 0
    ) -> requests.Response:
        """What anybody may ask, without credentials; `told` is a status above 400 that is an answer and no refusal."""

        def prepare() -> requests.PreparedRequest:
            request = requests.Request(method, self.url(path), headers=dict(headers or {}), data=body or None)
            return self._http.prepare_request(request)

        reading = method == "GET"
        statuses = _RETRIED if reading else _REFUSED_UNHANDLED
        response = self._exchange(prepare, stream=False, retried=statuses, reconnect=reading)
        if response.status_code != told:
            problems.raise_for_problem(response)
        return response

    # --- changing ---

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        file: Path | None = None,
        sha256: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """A signed request. `file` is streamed from disk; its hex digest `sha256` spares reading it twice."""
        own = dict(headers or {})
        if json is not None:
            body = jsonlib.dumps(json).encode()
            own.setdefault("Content-Type", "application/json")
        repeatable = method in ("GET", "HEAD", "PUT", "DELETE")
        with contextlib.ExitStack() as stack:
            opened: IO[bytes] | None = stack.enter_context(file.open("rb")) if file else None
            if file is not None and not sha256:
                sha256 = file_sha256(file)
            digest = bytes.fromhex(sha256) if sha256 else None

            def prepare() -> requests.PreparedRequest:
                if opened is not None:
                    opened.seek(0)
                data: Any = body if opened is None else opened
                prepared = self._http.prepare_request(requests.Request(method, self.url(path), headers=own, data=data))
                now = datetime.now(UTC)
                signatures.sign_request(prepared, key=self.key, keyid=self.key_id, now=now, body_sha256=digest)
                return prepared

            statuses = _RETRIED if repeatable else _REFUSED_UNHANDLED
            response = self._exchange(prepare, stream=False, retried=statuses, reconnect=repeatable)
        problems.raise_for_problem(response, rejected=True)
        return response

    # --- the exchange itself ---

    def _exchange(
        self,
        prepare: Callable[[], requests.PreparedRequest],
        *,
        stream: bool,
        retried: frozenset[int],
        reconnect: bool,
    ) -> requests.Response:
        """Send what `prepare` makes (anew each time: a nonce is used once) until an answer counts."""
        patience = MAX_PATIENCE
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._follow(prepare(), stream=stream)
            except (requests.ConnectionError, requests.Timeout) as error:
                if last or not reconnect or was_too_slow(error) or unreachable_name(error):
                    raise network_error(error, self.hub_url) from error
                self.wait(_backoff(attempt))
                continue
            except requests.RequestException as error:
                raise network_error(error, self.hub_url) from error
            except ValueError as error:  # `requests` reads a redirect's address even where it does not follow
                raise NetworkError(f"{urlsplit(self.hub_url).netloc} does not answer in the way of HTTP.") from error
            pause = retry_after(response, default=_backoff(attempt))
            if response.status_code not in retried or last or pause > patience:
                return response
            response.close()
            patience -= pause
            self.wait(pause)
        raise AssertionError("unreachable")

    def _follow(self, prepared: requests.PreparedRequest, *, stream: bool) -> requests.Response:
        """Send; follow redirects of GETs to addresses that are allowed, credentials only to the hub itself.

        Raises NetworkError for another host's refusal: what it says of itself is not the hub's word, and asking the
        hub once more may lead elsewhere.
        """
        asked = prepared.url or ""
        for _ in range(MAX_REDIRECTS):
            url = checked_url(prepared.url or "")
            settings = self._http.merge_environment_settings(url, {}, True, None, None)
            response = self._http.send(prepared, timeout=self._timeout, allow_redirects=False, **settings)
            if self._is_hub(url):
                self.clock_skew = skew_of(response, default=self.clock_skew)
            if not response.is_redirect:
                if not stream or response.status_code >= 400:
                    read_whole(response)
                if response.status_code >= 400 and response.status_code not in (416, *_RETRIED):
                    self._check_answerer(url, response)
                return response
            response.close()
            target = self._reach.redirected(response.headers["Location"], at=url, hub_url=self.hub_url, asked=asked)
            if prepared.method != "GET":
                raise NetworkError(
                    f"The hub redirects to {urlsplit(target).netloc}; a signed request is not sent elsewhere.",
                    next_step="Enrol with the hub's public address.",
                )
            onward = prepared.copy()
            onward.url = target
            if not self._is_hub(target):
                for name in [name for name in onward.headers if name.lower() not in _CARRIED_ON]:
                    del onward.headers[name]
            prepared = onward
        raise NetworkError(f"{self.hub_url} redirects without end.")

    def _is_hub(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.hub_url)[:2]

    def _check_answerer(self, url: str, response: requests.Response) -> None:
        if not self._is_hub(url):
            host = urlsplit(url).netloc
            raise NetworkError(f"{host}, where the hub sends us for the object, answers {response.status_code}.")

    # --- the token ---

    def _bearer(self) -> str:
        with self._token_lock:
            if self._token is None:
                self._token = self._kept_token()
            if self._token is None or self._token[1] <= time.time():
                self._token = self._new_token()
            return self._token[0]

    def _kept_token(self) -> tuple[str, float] | None:
        document = read_json(self._token_path) if self._token_path else None
        if not document or document.get("hub_url") != self.hub_url or document.get("key_id") != self.key_id:
            return None
        return str(document["token"]), float(document["until"])

    def _new_token(self) -> tuple[str, float]:
        answer = decoded_object(self.send("POST", "tokens"))
        token, seconds = answer.get("token"), answer.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(seconds, int | float):
            raise NetworkError("The hub's answer is not a token.")
        # Counted from our own clock, so that a wrong one doesn't matter here.
        until = time.time() + seconds - TOKEN_MARGIN
        if self._token_path:
            document = {"hub_url": self.hub_url, "key_id": self.key_id, "token": token, "until": until}
            with contextlib.suppress(OSError):
                # Without room to keep it, the next command asks for another.
                write_json(self._token_path, document)
        return token, until

    def _forget_token(self) -> None:
        with self._token_lock:
            self._token = ("", 0.0)


def _backoff(attempt: int) -> float:
    return _RANDOM.uniform(0.5, 1.0) * 2.0 ** (attempt - 1)

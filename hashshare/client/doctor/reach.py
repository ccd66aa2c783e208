"""Whether the hub can be reached, and if not, which link of the way is broken: name, port, proxy, TLS, time, answer."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3

from hashshare.client.addresses import is_loopback
from hashshare.client.answers import json_of, read_whole, skew_of
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.wire.errors import ExitCode, HashshareError

CHECK: Final = "hub"
TIMEOUT: Final = (10.0, 20.0)
"""Seconds to connect, and between two bytes."""
KEPT: Final = "Nothing can be fetched; what is held stays in use and gets older."


@dataclass(frozen=True, slots=True)
class Reached:
    """`fault`: "" when the hub answered, else name | refused | unreachable | timeout | proxy | tls | broken | other.

    `detail`: the system's own words. `skew`: seconds by which our clock is ahead of the hub's, None if it does not say.
    """

    host: str
    fault: str = ""
    detail: str = ""
    skew: int | None = None
    keys: tuple[Any, ...] = ()
    """Of the hub's descriptor, as it came."""


def reach(hub_url: str, *, timeout: tuple[float, float] = TIMEOUT) -> Reached:
    """Ask the hub for its descriptor, without credentials and without following anybody elsewhere."""
    host = urlsplit(hub_url).netloc
    http = requests.Session()
    http.trust_env = not is_loopback(urlsplit(hub_url).hostname or "")
    authorities = os.environ.get("REQUESTS_CA_BUNDLE") or True
    try:
        with http.get(
            f"{hub_url}/.well-known/hashshare", timeout=timeout, allow_redirects=False, stream=True, verify=authorities
        ) as response:
            read_whole(response)
            return _answered(host, response)
    except HashshareError as error:
        return Reached(host, "other", error.message)
    except requests.RequestException as error:
        fault, detail = fault_of(error)
        return Reached(host, fault, detail)


def _answered(host: str, response: requests.Response) -> Reached:
    skew = skew_of(response)
    if response.status_code >= 500:
        return Reached(host, "broken", f"HTTP {response.status_code}", skew)
    try:
        document = json_of(response)
    except ValueError:
        document = None
    # A hub may answer with its descriptor or with a problem document of its own; a hotel's page is neither.
    if isinstance(document, dict) and ({"name", "url"} <= set(document) or "type" in document):
        keys = document.get("keys")
        return Reached(host, skew=skew, keys=tuple(keys) if isinstance(keys, list) else ())
    return Reached(host, "other", f"HTTP {response.status_code}, {response.headers.get('Content-Type', 'no type')}")


def fault_of(error: BaseException) -> tuple[str, str]:
    """Which link broke, and the system's own words, from whatever lies under the error of `requests`."""
    causes = list(_causes(error))
    for kind, fault in _FAULTS:
        found = next((cause for cause in causes if isinstance(cause, kind) and _is(cause, fault)), None)
        if found is not None:
            return fault, _words(found)
    return "broken", type(error).__name__


def _is(cause: BaseException, fault: str) -> bool:
    """Among the errors of the operating system, the number tells."""
    return fault not in _NUMBERS or getattr(cause, "errno", None) in _NUMBERS[fault]


_NUMBERS: Final = {
    "refused": (errno.ECONNREFUSED,),
    "unreachable": (errno.EHOSTUNREACH, errno.ENETUNREACH),
}


_FAULTS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (requests.exceptions.ProxyError, "proxy"),
    (ssl.SSLError, "tls"),
    (requests.exceptions.SSLError, "tls"),
    (urllib3.exceptions.NameResolutionError, "name"),
    (socket.gaierror, "name"),
    (OSError, "refused"),
    (OSError, "unreachable"),
    # Later, since urllib3 counts every connection that was not made among its timeouts.
    (requests.exceptions.Timeout, "timeout"),
    (urllib3.exceptions.TimeoutError, "timeout"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps, in whichever way the libraries wrapped it."""
    seen, waiting = set[int](), [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inside = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [it for it in inside if isinstance(it, BaseException)]


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)


def judge(found: Reached) -> Finding:
    """What it means, and what to do."""
    if not found.fault:
        return good(CHECK, f"{found.host} answers.")
    says, do = _TOLD[found.fault]
    told = f"{says.format(host=found.host)} ({found.detail})." if found.detail else f"{says.format(host=found.host)}."
    return bad(CHECK, told, means=KEPT, do=do, exit_code=ExitCode.NETWORK, subject=found.host)


def judge_other(found: Reached) -> Finding:
    """Of a further hub of the home: lists come without it, as long as the first is there."""
    if not found.fault:
        return good(CHECK, f"{found.host}, a further hub of this home, answers.", subject=found.host)
    says, do = _TOLD[found.fault]
    means = "Lists come through the other hubs; if the first is silent too, nothing can be fetched."
    return warn(CHECK, f"{says.format(host=found.host)}.", means=means, do=do, subject=found.host)


_TOLD: Final[dict[str, tuple[str, str]]] = {
    "name": (
        "The name of {host} does not resolve",
        "Check this machine's DNS (`getent hosts NAME`) and the address in `hashshare status --offline`.",
    ),
    "refused": (
        "{host} refuses the connection: the machine is there, and nothing listens on that port",
        "Ask the hub's operator whether the hub is running; check the port and the firewalls in between.",
    ),
    "unreachable": ("There is no way to {host}", "Check this machine's network, routes and firewalls."),
    "timeout": (
        "{host} does not answer in time",
        "Often a firewall that drops packets, or a hub under load: try again, then ask the hub's operator.",
    ),
    "proxy": (
        "The proxy that this machine's environment names does not let us through to {host}",
        "Check HTTPS_PROXY and NO_PROXY, and that the proxy is running and allows CONNECT to the hub.",
    ),
    "tls": (
        "The certificate of {host} does not verify",
        "Signed by your own authority: REQUESTS_CA_BUNDLE=/path/ca.pem. Expired: tell the operator. Else do not go on.",
    ),
    "broken": (
        "{host} takes the connection and gives no whole answer",
        "The hub, or a proxy before it, is out of order: try again, then ask the hub's operator.",
    ),
    "other": (
        "Something answers for {host} that is no hashshare hub",
        "Often a network's sign-in page, or a wrong address: compare it with what the hub's operator gave you.",
    ),
}

"""Asking another hub what it is, before anything it says is believed: bounded in time and bytes, led nowhere else."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import requests

from federation.documents import MAX_DESCRIPTOR, HubDescriptor
from federation.services.reach import may_be_reached
from hashshare.client.addresses import checked_url, is_loopback
from hashshare.client.answers import network_error
from hashshare.client.patience import Transport, paced
from hashshare.wire import errors
from hashshare.wire.limits import KIB

PATH: Final = "/.well-known/hashshare"
SECONDS: Final = 5.0
"""To connect, for a next byte, and over which speed is judged."""
WITHIN: Final = 20.0
"""Seconds that an answer may take in all."""
MOST_URL: Final = 300


def checked_address(text: str) -> str:
    """An address of a hub as it is compared: scheme, host and port in lower case, nothing after them.

    Raises UsageError, InsecureTransport (plain http:// off this machine).
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise errors.UsageError(f"{text[:80]!r} is not an https:// address.") from error
    if len(text) > MOST_URL or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise errors.UsageError("A hub's address is https:// and its host, such as https://north.example/.")
    checked_url(text)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def fetch_descriptor(address: str) -> HubDescriptor:
    """What the hub at an address of `checked_address` says of itself.

    Raises AddressRefused, NetworkError, TooSlow, MalformedDescriptor; PeerDiffers when it says that it is elsewhere.
    """
    said = HubDescriptor.parse(_fetch(address))
    if said.url != address or said.hub != urlsplit(address).netloc:
        raise errors.PeerDiffers(
            f"The hub at {address} says that it is {said.hub} at {said.url}.",
            next_step="Ask its operator for its address (HASHSHARE_PUBLIC_URL there), and name that one.",
        )
    return said


def _fetch(address: str) -> bytes:
    host = urlsplit(address)
    with paced(requests.Session(), Transport(SECONDS, WITHIN, may_be_reached)) as http:
        http.trust_env = not is_loopback(host.hostname or "")
        headers = {"User-Agent": "hashshare", "Accept-Encoding": "identity"}
        try:
            response = http.get(
                address + PATH, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True, auth=_no_auth
            )
            return _body(response, host.netloc)
        except requests.RequestException as error:
            if host.scheme == "http" and "Connection aborted" in str(error):
                raise _broken_off(host.netloc) from error
            raise network_error(error, address) from error
        except ValueError as error:  # `requests` reads a redirect's address even where it does not follow
            raise errors.NetworkError(f"{host.netloc} does not answer in the way of HTTP.") from error


def _broken_off(host: str) -> errors.NetworkError:
    """What a server of https:// does, without a word, to who speaks plain http://."""
    return errors.NetworkError(
        f"{host} broke off without an answer to plain http://.",
        next_step=f"If it speaks https://, say so: https://{host}/. Else see whether a hub is running there.",
    )


def _body(response: requests.Response, host: str) -> bytes:
    if response.is_redirect or 300 <= response.status_code < 400:
        raise errors.AddressRefused(
            f"{host} sends us on to another address, which is not followed.",
            next_step="Ask its operator for the hub's own address, and introduce that.",
        )
    if response.status_code == 400 and b"HTTPS" in response.raw.read(4 * KIB, decode_content=True):
        raise errors.NetworkError(f"{host} speaks https:// there, not plain http://.", next_step=f"Say https://{host}/")
    if response.status_code != 200:
        raise errors.NetworkError(
            f"{host} answers {response.status_code} in place of a hub's descriptor.",
            next_step=f"See whether a hub answers at {host}{PATH}.",
        )
    body = bytearray()
    for block in response.iter_content(16 * KIB):
        body += block
        if len(body) > MAX_DESCRIPTOR:
            raise errors.MalformedDescriptor(f"The hub's descriptor has more than {MAX_DESCRIPTOR} bytes.")
    return bytes(body)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from sending what a ~/.netrc has for the host."""
    return request

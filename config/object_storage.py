"""The settings of S3-compatible storage, from the environment. What is said by halves stops the hub at its start."""

from __future__ import annotations

import ipaddress
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.environment import env
from hashshare.storage.place import BucketPlace

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?")
SERVE = ("redirect", "stream")
MOST_URL_SECONDS = 300
LEAST_URL_SECONDS = 10
GIB = 1024**3
NAMES = (
    "ENDPOINT",
    "PUBLIC_ENDPOINT",
    "REGION",
    "PREFIX",
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "PATH_STYLE",
    "SERVE",
    "URL_SECONDS",
    "CACHE_GIB",
)


def bucket_place(*, sendfile_prefix: str, checkouts: Path) -> BucketPlace | None:
    """Where the bucket of HASHSHARE_S3_BUCKET is; None without it: objects lie in a folder. Raises
    ImproperlyConfigured, which never repeats a secret.
    """
    values = {name: str(env.str(f"HASHSHARE_S3_{name}", "")) for name in ("BUCKET", *NAMES)}
    bucket = values.pop("BUCKET")
    if not bucket:
        stray = [f"HASHSHARE_S3_{name}" for name, value in values.items() if value]
        if stray:
            raise ImproperlyConfigured(f"{stray[0]} is set, but HASHSHARE_S3_BUCKET is not: objects have no bucket.")
        return None
    if not BUCKET.fullmatch(bucket):
        raise ImproperlyConfigured(f"HASHSHARE_S3_BUCKET is not the name of a bucket: {bucket}")
    if sendfile_prefix:
        raise ImproperlyConfigured("HASHSHARE_SENDFILE_PREFIX is for a folder of objects; leave it out with a bucket.")
    if find_spec("obstore") is None:
        raise ImproperlyConfigured("HASHSHARE_S3_BUCKET needs the package obstore: pip install 'hashshare[hub,s3]'")
    endpoint = checked_endpoint("HASHSHARE_S3_ENDPOINT", values["ENDPOINT"])
    if not endpoint and not values["REGION"]:
        raise ImproperlyConfigured("HASHSHARE_S3_BUCKET needs HASHSHARE_S3_REGION, or HASHSHARE_S3_ENDPOINT off AWS.")
    if bool(values["ACCESS_KEY_ID"]) != bool(values["SECRET_ACCESS_KEY"]):
        raise ImproperlyConfigured("HASHSHARE_S3_ACCESS_KEY_ID and HASHSHARE_S3_SECRET_ACCESS_KEY go together.")
    prefix = values["PREFIX"].strip("/")
    if not PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        raise ImproperlyConfigured(f"HASHSHARE_S3_PREFIX is a path of letters, digits and . _ - / signs: {prefix}")
    return BucketPlace(
        bucket=bucket,
        region=values["REGION"] or "us-east-1",
        checkouts=checkouts,
        endpoint=endpoint,
        public_endpoint=checked_endpoint("HASHSHARE_S3_PUBLIC_ENDPOINT", values["PUBLIC_ENDPOINT"]),
        prefix=prefix,
        access_key_id=values["ACCESS_KEY_ID"],
        secret_access_key=values["SECRET_ACCESS_KEY"],
        path_style=env.bool("HASHSHARE_S3_PATH_STYLE", bool(endpoint)) if values["PATH_STYLE"] else bool(endpoint),
        url_seconds=url_seconds(values["SERVE"] or "redirect", values["URL_SECONDS"]),
        checkouts_bytes=whole("HASHSHARE_S3_CACHE_GIB", values["CACHE_GIB"] or "20", least=1, most=1_000_000) * GIB,
    )


def checked_endpoint(name: str, url: str) -> str:
    """Without a path; https://, or http:// on this machine. The hub's signature doesn't hide what is sent."""
    parts = urlsplit(url)
    if not url:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} is an address like https://storage.example, with nothing after the host.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ImproperlyConfigured(f"{name} is plain http:// on a network; only https:// is used there.")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_seconds(serve: str, seconds: str) -> int:
    if serve not in SERVE:
        raise ImproperlyConfigured(f"HASHSHARE_S3_SERVE is {' or '.join(SERVE)}, not {serve}")
    if serve == "stream":
        if seconds:
            raise ImproperlyConfigured("HASHSHARE_S3_URL_SECONDS is for HASHSHARE_S3_SERVE=redirect.")
        return 0
    return whole("HASHSHARE_S3_URL_SECONDS", seconds or "300", least=LEAST_URL_SECONDS, most=MOST_URL_SECONDS)


def whole(name: str, text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ImproperlyConfigured(f"{name} is a whole number from {least} to {most}, not {text}")
    return int(text)

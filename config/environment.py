"""Reading the hub's settings from the environment: types, secrets kept in files, addresses of services.

Every name may also be given as NAME_FILE, a file that holds the value: so secrets stay out of process listings.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

from hashshare.durable import create_file

env = FileAwareEnv(strip_whitespace=True)

FILE_BROKER: Final = "filesystem://"
WEEK: Final = 7 * 86_400


def data_folder(default: Path) -> Path:
    """The folder of everything that this hub keeps, made when it is missing.

    Root's own may be passed through (not listed) by others, since the private PostgreSQL runs as somebody else.
    """
    folder = Path(env.str("HASHSHARE_DATA", str(default))).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    return folder


def public_url(folder: Path) -> str:
    """HASHSHARE_PUBLIC_URL, else that of the hub that runs on the data `folder`, else that of the usual port here."""
    given: str = env.str("HASHSHARE_PUBLIC_URL", "")
    return (given or _running_hub(folder) or "http://127.0.0.1:8000").rstrip("/")


def _running_hub(folder: Path) -> str:
    """What `manage.py hub` says of itself, while it lives; "" when none runs here."""
    try:
        said = json.loads((folder / "hub.json").read_text())
        os.kill(int(said["pid"]), 0)
        return str(said["public"])
    except PermissionError:
        return str(said["public"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def private_folder(path: Path, *, group: bool = False) -> Path:
    """`path`, made with access for this user alone (and its `group`, to read) when it is missing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o750 if group else 0o700)
    return path


def secret_key(folder: Path) -> str:
    """HASHSHARE_SECRET_KEY, else the one kept in `folder`, written on first use (mode 0600)."""
    given = env.str("HASHSHARE_SECRET_KEY", "")
    if given:
        return str(given)
    path = folder / "secret-key"
    if not path.exists():
        # The first of several processes wins.
        create_file(path, f"{secrets.token_urlsafe(48)}\n".encode())
    return path.read_text().strip()


def at_least_one(name: str, default: int) -> int:
    """A whole number from 1 on."""
    value: int = env.int(name, default)
    if value < 1:
        raise ImproperlyConfigured(f"{name} is a whole number from 1 on.")
    return value


def country(name: str) -> str:
    """Two letters, or empty."""
    code: str = env.str(name, "").strip().upper()
    if code and not re.fullmatch("[A-Z]{2}", code):
        raise ImproperlyConfigured(f"{name} is a two-letter ISO 3166-1 code, such as NL.")
    return code


def timetable(name: str, usual: Mapping[str, float]) -> dict[str, float]:
    """`usual` seconds between two runs by task, with those given, as in `seal_logs=10,sweep_jobs=5`."""
    given: dict[str, str] = env.dict(name, {})
    try:
        changes = {task: float(seconds) for task, seconds in given.items()}
    except ValueError:
        changes = {"": 0.0}
    if not changes.keys() <= usual.keys() or not all(1 <= seconds <= WEEK for seconds in changes.values()):
        raise ImproperlyConfigured(
            f"{name} says after how many seconds, from 1 to a week, a task is done again, as in "
            f"seal_logs=10,sweep_jobs=5. The tasks are {', '.join(sorted(usual))}."
        )
    return {**usual, **changes}


def networks(name: str, usual: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks by commas, such as `127.0.0.1,10.0.0.0/8`."""
    given: list[str] = env.list(name, usual.split(","))
    try:
        return tuple(ip_network(each.strip()) for each in given if each.strip())
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has addresses or networks, by commas: {error}.") from error


def needed_with(name: str, other: str) -> str:
    """A setting that must be given when `other` is, and has no meaning without it."""
    given: str = env.str(name, "")
    if bool(given) != bool(other):
        raise ImproperlyConfigured(f"{name} and HASHSHARE_ONLINE_KEY_URI are given together.")
    return given


def database(url: str, *, private: Path) -> dict[str, Any]:
    """Django's settings of the database at `url` (postgresql://...), or of the private one kept in `private`."""
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
    if not url:
        return {"ENGINE": "config.private_database", "NAME": "hashshare", "PRIVATE_FOLDER": str(private), **kept}
    return {"ENGINE": "django.db.backends.postgresql", **_parts(url), **kept}


def _parts(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must be a postgresql:// address; the hub runs on PostgreSQL only.")
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        options = dict(conninfo_to_dict(url))
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, Any] = {name: str(options.pop(key, "") or "") for name, key in named.items()}
    return {**settings, "OPTIONS": options}


def cache(url: str, *, name: str) -> dict[str, Any]:
    """Django's settings of the cache at `url` (redis://, rediss://), or of one in each process's own memory."""
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured("HASHSHARE_CACHE_URL must be a redis:// or rediss:// address (Valkey or Redis).")
    options = {"serializer": "config.cached.Json"}
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"BACKEND": backend, "LOCATION": url, "KEY_PREFIX": name, "OPTIONS": options}


def broker(url: str, *, folder: Path) -> tuple[str, dict[str, Any]]:
    """Address and options of the broker at `url`, or of one kept as files in `folder` (a single machine, no server).

    A message is only a wake-up; the rows in the database say what is to be done, so one that is lost is sent again.
    """
    if url:
        return url, {}
    queue, control = private_folder(folder / "queue"), private_folder(folder / "control")
    places = {"data_folder_in": str(queue), "data_folder_out": str(queue), "control_folder": str(control)}
    return FILE_BROKER, {**places, "polling_interval": 0.2}


def queues(*names: str) -> dict[str, dict[str, str]]:
    """Celery's description of queues that messages reach by their names."""
    return {name: {"exchange": name, "routing_key": name} for name in names}


def mail(url: str) -> dict[str, Any]:
    """Django's settings of mail that leaves by `url`: smtp:// (in the clear), smtp+tls:// (STARTTLS) or smtps://, with
    user and password if need be. Without one, mail is written into the log of whoever would send it.
    """
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ImproperlyConfigured("HASHSHARE_EMAIL_URL must be an smtp://, smtp+tls:// or smtps:// address.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }


def hosts(public_url: str, extra: list[str]) -> list[str]:
    """The Host headers that are answered: that of the public address, this machine's own names, and `extra`."""
    return sorted({urlsplit(public_url).hostname or "localhost", "localhost", "127.0.0.1", "[::1]", *extra})

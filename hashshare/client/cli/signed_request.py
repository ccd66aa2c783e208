"""`request`: a curl that signs, for everything that has no command of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client.answers import json_of
from hashshare.client.cli.output import Output, command
from hashshare.client.home import Home
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError
from hashshare.wire.limits import MAX_JSON_BODY

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "request")(request)


def request(
    out: Output,
    method: Annotated[str, typer.Argument(metavar="METHOD")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Below /api/v1/, or from the root: /api/v1/heads.")],
    data: Annotated[str, typer.Option("--data", metavar="TEXT", help="The body, as JSON; @FILE reads a file.")] = "",
    header: Annotated[list[str] | None, typer.Option("-H", "--header", metavar="NAME:VALUE")] = None,
) -> None:
    """Send a request signed with this organisation's key and print the answer."""
    if method.upper() not in METHODS:
        raise UsageError(f"{method!r} is not one of {', '.join(METHODS)}.")
    if path.startswith(("http:", "https:")):
        raise UsageError("PATH is a path at the hub you are enrolled at, not an address.")
    session = Session.open(Home.open())
    headers = dict(_header(text) for text in header or [])
    body = _body(data)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    response = session.send(method.upper(), path, body=body, headers=headers)
    try:
        content: Any = json_of(response)
    except ValueError:
        content = None
    if out.as_json:
        shown = content if content is not None else response.text
        out.result({"status": response.status_code, "headers": dict(response.headers), "body": shown})
    elif content is not None:
        out.say(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        sys.stdout.buffer.write(response.content)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"{text!r} is not NAME:VALUE.")
    return name.strip(), value.strip()


def _body(data: str) -> bytes | None:
    if not data:
        return None
    body = Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
    if len(body) > MAX_JSON_BODY:
        raise UsageError(f"The body has {len(body):,} bytes; a hub takes {MAX_JSON_BODY:,}.")
    return body

"""The OpenAPI description and its page, from this hub's own files; and the hub's descriptor."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from django.contrib.staticfiles import finders
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.api.parties import CLIENT
from tests.api.test_declared_callers import endpoints

Schema = dict[str, dict[str, dict[str, dict[str, Any]]]]


@pytest.fixture(scope="module")
def schema() -> Schema:
    return generated()


def generated() -> Schema:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made: Schema = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def test_it_is_valid_openapi(schema: Schema) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]


def test_it_makes_no_warnings() -> None:
    GENERATOR_STATS.reset()
    generated()
    assert not GENERATOR_STATS._warn_cache, GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache, GENERATOR_STATS._error_cache


def test_it_describes_every_endpoint_its_callers_and_its_problems(
    schema: Schema,
) -> None:
    described = {
        (path, method.upper()): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    assert len(described) == sum(len(view.who) for _, view in endpoints())
    for (path, method), operation in described.items():
        assert "**Who:**" in str(operation["description"]), path
        assert "default" in operation["responses"], (path, method)


def test_it_names_the_doors(schema: Schema) -> None:
    paths = schema["paths"]
    assert set(schema["components"]["securitySchemes"]) == {"signature", "token", "access_key"}
    assert paths["/api/v1/heads"]["get"]["security"] == [{"access_key": []}, {"signature": []}, {"token": []}]
    assert paths["/api/v1/tokens"]["post"]["security"] == [{"signature": []}]
    assert not paths["/.well-known/hashshare"]["get"].get("security")


def test_it_is_served_to_anybody() -> None:
    answer = CLIENT.get("/api/v1/schema")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content)["openapi"].startswith("3.")


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for it again and again must not keep the hub busy."""
    first = CLIENT.get("/api/v1/schema").content
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("made again"))
    assert CLIENT.get("/api/v1/schema?lang=xx", headers={"Accept": "application/json"}).content == first


class Sources(HTMLParser):
    """Collects what a page loads, and what it carries inline."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "link"}:
            self.loaded.append(given.get("src") or given.get("href") or "")
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)


def test_its_page_loads_only_this_hubs_files() -> None:
    page = CLIENT.get("/api/v1/docs")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    sources = Sources()
    sources.feed(page.content.decode())
    assert not sources.inline
    assert len(sources.loaded) >= 4
    for address in sources.loaded:
        assert address.startswith("/static/"), address
        assert finders.find(address.removeprefix("/static/")), address


@pytest.mark.django_db
def test_the_descriptor_is_for_anybody() -> None:
    told = CLIENT.get("/.well-known/hashshare").json()
    own = {"hub", "country", "peer_key", "witness_key"}
    assert set(told) == {"name", "url", "version", "time", "keys", "log_key", *own}
    assert told["url"] == "http://127.0.0.1:8000"
    assert [key["keytype"] for key in told["keys"]] == ["ed25519", "ed25519"]

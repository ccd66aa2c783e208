"""Problem types: each has a page that anybody may open, and nothing leaks in an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hashshare.api.problem_texts import EXPLANATIONS, as_markdown, problem_types
from tests.api.parties import CLIENT, Party, refused

DOCS = Path(__file__).parents[2] / "docs"


def test_nothing_is_explained_that_is_no_type() -> None:
    assert set(EXPLANATIONS) <= {error.slug for error in problem_types()}


def test_slugs_are_unique() -> None:
    slugs = [error.slug for error in problem_types()]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("slug", [error.slug for error in problem_types()])
def test_every_type_has_its_page(slug: str) -> None:
    page = CLIENT.get(f"/problems/{slug}")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h2>What to do</h2>" in page.content.decode()


def test_the_pages_are_listed_and_others_are_not_there() -> None:
    index = CLIENT.get("/problems/").content.decode()
    assert all(f'href="/problems/{slug}"' in index for slug in EXPLANATIONS)
    assert CLIENT.get("/problems/nothing").status_code == 404


def test_the_pages_run_no_script_of_others() -> None:
    page = CLIENT.get("/problems/not-entitled")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.content.decode()
    assert "style=" not in page.content.decode()


def test_the_documentation_says_the_same() -> None:
    """Run `python manage.py problem_docs` when this fails."""
    assert (DOCS / "problems.md").read_text() == as_markdown()


@pytest.mark.django_db
def test_the_hubs_own_failure_tells_nothing_of_its_inside(cobalt: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("password in /etc/secret")

    monkeypatch.setattr("hashshare.api.status.status", broken)
    problem = refused(cobalt.signed("GET", "status"), 500, "internal")
    assert "secret" not in str(problem)


@pytest.mark.django_db
def test_types_are_named_by_the_public_address(settings: Settings) -> None:
    settings.HASHSHARE_PUBLIC_URL = "https://hub-north.example"
    problem = CLIENT.get("/api/v1/status").json()
    assert problem["type"] == "https://hub-north.example/problems/not-authenticated"

"""Every page that a person may open, with the filters, searches, pages and orders that it offers of itself.

Made of the navigation's pages and the registered tables, so that a new page is walked without a word here. What one
cannot see from those, which row an address names, stands in `ROWS`. Needs Django set up; reads only.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import (
    roles,
    tables,  # noqa: F401  (registers them)
)
from hashshare.admin.desks import PAGES, Page
from hashshare.admin.sessions import BACKEND, verified
from hashshare.admin.site import site
from hashshare.models import Draft, HashList, Leaf, Person, Release
from hashshare.selectors.people import VERIFIED

OWN_LINK: Final = re.compile(r'href="(\?[^"]*)"')
SEARCHES: Final = ('name="q"', "aurora")
"""What shows that a page can be searched, and a word that is looked for."""
DEEPEST: Final = 4
"""Links on end: year, month, day."""
NO_PAGE: Final = frozenset({"account-codes", "account-authenticator", "account-sign-out", "kept-form"})
"""Of PAGES: steps of a form, which lead back to the account when opened by themselves."""

UNCOUNTED: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT", 'UPDATE "django_session"')

Row = Callable[[Person], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Address:
    """`name` says which page or table, and what of it, such as `delivery ?at__year`."""

    name: str
    path: str


Ask = Callable[[Address], str]
"""Asks for an address; the text of the page."""


def browser(person: Person) -> Client:
    """Signed in as if by password and second factor a moment ago."""
    client = Client(HTTP_HOST="localhost")
    client.force_login(person, backend=BACKEND)
    session = client.session
    session[VERIFIED] = verified(person, now=timezone.now())
    session.save()
    return client


def sign_out(client: Client) -> None:
    Session.objects.filter(session_key=client.session.session_key).delete()


def number_of(queries: Iterable[dict[str, Any]]) -> int:
    """Without what begins and ends transactions, and the note, once a minute, that a session is in use."""
    return sum(not str(it["sql"]).startswith(UNCOUNTED) for it in queries)


def text_of(answer: Any) -> str:
    """Of a page; "" of a file."""
    html_page = not answer.streaming and "html" in answer.get("Content-Type", "")
    return str(answer.content.decode()) if html_page else ""


def walk(person: Person, ask: Ask) -> None:
    """Every address is asked for once; what `ask` answers says where to go on."""
    for name, path in bare(person):
        go(Address(name, path), ask, seen=set(), left=DEEPEST)


def bare(person: Person) -> Iterator[tuple[str, str]]:
    """Names and paths without a query: the overview, the pages, the tables and of each the first row."""
    request = asked_by(person)
    if roles.role_of(person) != roles.OBSERVER:
        yield "overview", reverse("admin:index")
    for page in PAGES:
        if page.name not in NO_PAGE and page.seen_by(request) and (path := path_of(page, person)) is not None:
            yield page.name, path
    for model, table in site._registry.items():
        if table.has_view_permission(request):
            name = str(model._meta.model_name)
            yield name, reverse(f"admin:{model._meta.app_label}_{name}_changelist")
            yield from rows_of(name, table, request)


def rows_of(name: str, table: Any, request: HttpRequest) -> Iterator[tuple[str, str]]:
    row = table.get_queryset(request).first()
    if row is not None:
        yield f"{name} row", reverse(f"admin:{row._meta.app_label}_{name}_change", args=[row.pk])
        if roles.is_operator(request):
            yield f"{name} history", reverse(f"admin:{row._meta.app_label}_{name}_history", args=[row.pk])


def asked_by(person: Person) -> HttpRequest:
    request = HttpRequest()
    request.user = person
    return request


def path_of(page: Page, person: Person) -> str | None:
    """None where the hub has no row that such a page could show. Raises KeyError for a page that `ROWS` lacks."""
    if "<" not in page.path:
        return reverse(f"admin:{page.name}")
    arguments = ROWS[page.name](person)
    return None if arguments is None else reverse(f"admin:{page.name}", kwargs=arguments)


def go(at: Address, ask: Ask, *, seen: set[frozenset[str]], left: int) -> None:
    """The page and, of every set of parameters that its links to itself have, the first and the last."""
    text = ask(at)
    path, page = urlsplit(at.path).path, at.name.partition(" ?")[0]
    if left == DEEPEST and SEARCHES[0] in text:
        ask(Address(f"{page} ?q", f"{path}?q={SEARCHES[1]}"))
    links: dict[frozenset[str], list[str]] = {}
    for query in map(html.unescape, OWN_LINK.findall(text)):
        names = frozenset(name for name, _ in parse_qsl(query[1:]))
        if names and names not in seen and len(names) <= DEEPEST:
            links.setdefault(names, []).append(query)
    seen.update(links)
    for names, queries in links.items():
        first, *others = dict.fromkeys((queries[0], queries[-1]))
        name = f"{page} ?{'&'.join(sorted(names))}"
        for query in others:
            ask(Address(name, path + query))
        if goes_on(names, left):
            go(Address(name, path + first), ask, seen=seen, left=left - 1)
        else:
            ask(Address(name, path + first))


def goes_on(names: frozenset[str], left: int) -> bool:
    """Into years, months and days; filters that are put together multiply, and find fewer rows."""
    return left > 1 and all(name.endswith(("__year", "__month")) for name in names)


def _list_of(person: Person) -> dict[str, Any] | None:
    found = HashList.objects.filter(publisher__organisation=person.organisation_id).first()
    return {"list_id": found.pk} if found else None


def _offered_list(person: Person) -> dict[str, Any] | None:
    rows = HashList.objects.filter(visibility=HashList.Visibility.CATALOGUE, publisher__sandbox=False)
    found = rows.select_related("publisher").exclude(publisher__organisation=person.organisation_id).first()
    return {"domain": found.publisher.domain, "slug": found.slug} if found else None


def _leaf(person: Person) -> dict[str, Any] | None:
    found = Leaf.objects.filter(organisation=person.organisation_id, row__isnull=False).first()
    return {"leaf": found.pk} if found else None


def _draft(person: Person) -> dict[str, Any] | None:
    return _draft_of(person, Draft.objects.all())


def _faulty_draft(person: Person) -> dict[str, Any] | None:
    return _draft_of(person, Draft.objects.exclude(errors_digest=""))


def _draft_of(person: Person, rows: QuerySet[Draft]) -> dict[str, Any] | None:
    found = rows.filter(list__publisher__organisation=person.organisation_id).first()
    return {"draft_id": found.pk} if found else None


def _release(person: Person) -> dict[str, Any] | None:
    rows = Release.objects.filter(state=Release.State.PUBLISHED).order_by("-published_at")
    if not person.is_operator:
        rows = rows.filter(list__publisher__organisation=person.organisation_id)
    found = rows.first()
    return {"release_id": found.pk} if found else None


ROWS: Final[dict[str, Row]] = {
    "member-list": _offered_list,
    "member-receipt": _leaf,
    "upload": _draft,
    "upload-progress": _draft,
    "upload-faults": _faulty_draft,
    "upload-template": _list_of,
    "release": _release,
}
"""By name of the page, which row it is asked for."""

"""Who may see what on the pages for people. The one place that turns a signed-in person into rights.

| role     | sees                                                                                   |
|----------|----------------------------------------------------------------------------------------|
| operator | every table, the coalition statistics; may do what the services offer                  |
| analyst  | the rows of their own organisation, read-only; of a member, its desk; of a hotline,    |
|          | where withdrawals arrived, the upload desk, and who may have its lists: they decide    |
| engineer | the same rows, the member's desk; may make and end its keys and access keys            |
| observer | the coalition statistics, the commitments of their own organisation, and nothing else  |

People of a suspended organisation see nothing, nor do those with a role that does not fit its kind.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from hashshare.selectors.lists import list_ids_of
from hashshare.selectors.people import fits

M = TypeVar("M", bound=Model)

OPERATOR: Final = "operator"
OBSERVER: Final = "observer"
ENGINEER: Final = "engineer"
ANALYST: Final = "analyst"
HOTLINE: Final = "hotline"
MEMBER: Final = "member"
PARTNER: Final = "partner"
BY_LIST: Final = "list__publisher__organisation"
OF_AN_ORGANISATION: Final = frozenset({"analyst", "engineer"})

_LISTS: Final[WeakKeyDictionary[HttpRequest, list[uuid.UUID]]] = WeakKeyDictionary()


def role_of(person: Any) -> str:
    """The role in force: empty for nobody, for a closed account, for people of a suspended organisation, and for who
    has a role that people of such an organisation do not have: operators are told, and change it.
    """
    if not (person.is_authenticated and person.is_active):
        return ""
    organisation = person.organisation
    if organisation is None:
        return str(person.role)
    in_force = organisation.state != "suspended" and fits(person.role, kind=organisation.kind)
    return str(person.role) if in_force else ""


def is_anybody(request: HttpRequest) -> bool:
    """Whoever has a role in force."""
    return bool(role_of(request.user))


def is_operator(request: HttpRequest) -> bool:
    return role_of(request.user) == OPERATOR


def sees_statistics(request: HttpRequest) -> bool:
    return role_of(request.user) in {OPERATOR, OBSERVER}


def sees_propagation(request: HttpRequest) -> bool:
    """Operators, and people of hotlines for the lists of their own."""
    role, organisation = role_of(request.user), getattr(request.user, "organisation", None)
    return role == OPERATOR or (
        role in OF_AN_ORGANISATION and organisation is not None and organisation.kind == HOTLINE
    )


def uploads(request: HttpRequest) -> bool:
    """Analysts of hotlines: they work at the upload desk, for the lists of their own."""
    return role_of(request.user) == ANALYST and sees_propagation(request)


def decides_on_subscription(request: HttpRequest, row: Any) -> bool:
    """Operators, and analysts of the hotline that publishes the list."""
    own = uploads(request) and row.list.publisher.organisation_id == own_organisation(request)
    return is_operator(request) or own


def sees_expiring(request: HttpRequest) -> bool:
    """Operators, and people of an organisation for what is its own."""
    return role_of(request.user) in {OPERATOR, *OF_AN_ORGANISATION}


def sees_member_desk(request: HttpRequest) -> bool:
    """Who takes lists: engineers of any organisation that may, and all people of members. May ask for a list there."""
    role, kind = role_of(request.user), getattr(getattr(request.user, "organisation", None), "kind", "")
    return (role == ENGINEER and kind != PARTNER) or (role in OF_AN_ORGANISATION and kind == MEMBER)


def keeps_keys(request: HttpRequest, row: Any = None) -> bool:
    """Engineers, for the keys of the own organisation; `row` is one of these, None for all of the table."""
    if not (role_of(request.user) == ENGINEER and sees_member_desk(request)):
        return False
    return row is None or row.organisation_id == request.user.organisation_id  # type: ignore[union-attr]


def enters_commitments(request: HttpRequest) -> bool:
    """People of any organisation, a government's observers included, for their own."""
    return role_of(request.user) in {*OF_AN_ORGANISATION, OBSERVER}


def own_organisation(request: HttpRequest) -> uuid.UUID | None:
    """Whose rows a person sees; None for an operator, who sees all."""
    return None if is_operator(request) else request.user.organisation_id  # type: ignore[union-attr]


def sees_table(request: HttpRequest, organisation_paths: Iterable[str]) -> bool:
    """Whether any row of a table may be seen; a table without paths to an organisation is the operator's alone."""
    role = role_of(request.user)
    return role == OPERATOR or (role in OF_AN_ORGANISATION and bool(tuple(organisation_paths)))


def rows_seen(request: HttpRequest, rows: QuerySet[M], organisation_paths: Iterable[str]) -> QuerySet[M]:
    """The rows of a table that this person may see: all, or those that lead to their organisation by any path."""
    if is_operator(request):
        return rows
    if not sees_table(request, organisation_paths):
        return rows.none()
    own = Q()
    for path in organisation_paths:
        own |= leads(request, path)
    return rows.filter(own)


def leads(request: HttpRequest, path: str) -> Q:
    """That a row leads to the person's organisation. By way of a list it is asked by the ids of the organisation's
    lists: a condition on the table's own columns has an index, one on a joined table is tried on row after row.
    """
    before, by_list, _ = path.rpartition(BY_LIST)
    if by_list:
        return Q(**{f"{before}list__in": _own_lists(request)})
    return Q(**{path: own_organisation(request)})


def _own_lists(request: HttpRequest) -> list[uuid.UUID]:
    """Once in a request, which asks for rows several times."""
    if request not in _LISTS:
        organisation = own_organisation(request)
        _LISTS[request] = [] if organisation is None else list_ids_of(organisation=organisation)
    return _LISTS[request]

"""Filters of the tables in the words of their subject."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final

from django.contrib.admin import AllValuesFieldListFilter, EmptyFieldListFilter, RelatedFieldListFilter
from django.db.models import Exists, OuterRef, Q, Subquery
from django.http import HttpRequest

from hashshare.admin import roles
from hashshare.countries import country_name


class MomentFilter(EmptyFieldListFilter):
    """Divides rows by whether something has happened to them yet."""

    words: ClassVar[dict[str, str]]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            text = str(choice["display"])
            yield {**choice, "display": self.words.get(text, text)}


class RevokedFilter(MomentFilter):
    words = {"Empty": "Not revoked", "Not empty": "Revoked"}


class UsedFilter(MomentFilter):
    words = {"Empty": "Not used yet", "Not empty": "Used"}


NAMED: Final = {"organisation": ("name",), "hashlist": ("publisher__domain", "slug"), "publisher": ("domain",)}
"""What the names of rows are made of, with a stroke between: there may be hundreds, on every page of a table."""


class SeenFilter(RelatedFieldListFilter):
    """Offers what the rows that a person sees are related to. One look into an index for each that there is, where the
    stock filter gathers them out of all rows.
    """

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        seen = model_admin.get_queryset(request).filter(**{field.name: OuterRef("pk")})
        table = model_admin.admin_site.get_model_admin(field.related_model)
        rows = field.related_model._default_manager.filter(self._is_seen(request, model_admin, seen))
        if (named := NAMED.get(field.related_model._meta.model_name)) is not None:
            return [(str(pk), "/".join(words)) for pk, *words in rows.values_list("pk", *named)]
        # With what their names are made of, so that a name is no query.
        rows = rows.select_related(*(table.list_select_related or ()))
        return [(str(row.pk), str(row)) for row in rows]

    def _is_seen(self, request: HttpRequest, model_admin: Any, seen: Any) -> Any:
        """Each way to the person's organisation has an index; a search for either way at once has none."""
        paths = () if roles.is_operator(request) else model_admin.organisation_paths
        ways = [seen.order_by().filter(roles.leads(request, path)) for path in paths] or [seen.order_by()]
        return reduce(or_, (Q(Exists(way)) for way in ways))


class CountryFilter(AllValuesFieldListFilter):
    """By name; the address keeps the code."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": country_name(str(choice["display"]))}


class NewestFilter(AllValuesFieldListFilter):
    """Offers the values of the newest day, which is one look into an index; the stock filter reads every row."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        rows = model_admin.get_queryset(request)
        newest = rows.order_by("-day").values("day")[:1]
        of_newest = rows.filter(day=Subquery(newest)).order_by(field_path)
        self.lookup_choices = of_newest.values_list(field_path, flat=True).distinct()

"""Finding organisations, and which of them may be named to others."""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from hashshare.models import Organisation
from hashshare.wire import errors


def organisation_by_slug(*, slug: str) -> Organisation:
    """Raises NotFound."""
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise errors.NotFound(f"There is no organisation {slug!r}.", next_step="See the admin page for their names.")
    return found


def is_private(prefix: str = "") -> ExpressionWrapper[Q]:
    """Whether the organisation that `prefix` leads to is counted roughly and never named: a company (or another hub,
    whose members are behind it) that has not agreed to be named. Hotlines and governments are public bodies.
    """
    kinds = Q(**{f"{prefix}kind__in": [Organisation.Kind.MEMBER, Organisation.Kind.HUB]})
    return ExpressionWrapper(kinds & Q(**{f"{prefix}named_since": None}), output_field=BooleanField())


def named_organisations() -> QuerySet[Organisation]:
    """Those in force that have agreed to be named, by kind and name."""
    found = Organisation.objects.filter(state=Organisation.State.ACTIVE, named_since__isnull=False)
    return found.order_by("kind", "name")

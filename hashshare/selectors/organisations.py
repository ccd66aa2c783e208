"""Finding organisations, for operators."""

from __future__ import annotations

from hashshare.models import Organisation
from hashshare.wire import errors


def organisation_by_slug(*, slug: str) -> Organisation:
    """Raises NotFound."""
    found = Organisation.objects.filter(slug=slug).first()
    if found is None:
        raise errors.NotFound(f"There is no organisation {slug!r}.", next_step="See the admin page for their names.")
    return found

"""What peers have to explain, as it is read."""

from __future__ import annotations

from django.db.models import QuerySet

from federation.models import Finding
from hashshare.wire.errors import NotFound


def findings(*, settled: bool = False) -> QuerySet[Finding]:
    """Those that nobody has settled, the newest first; with `settled` all."""
    rows = Finding.objects.select_related("peer", "settled_by").order_by("-found_at")
    return rows if settled else rows.filter(settled_at=None)


def finding_by_id(text: str) -> Finding:
    """By its id, or the beginning of that if no other has it. Raises NotFound."""
    wanted = text.strip().lower()
    found = [row for row in findings(settled=True) if str(row.pk).startswith(wanted)] if len(wanted) >= 4 else []
    if len(found) != 1:
        raise NotFound(f"There is no finding {text[:40]}.", next_step="See: manage.py findings list --all")
    return found[0]

"""What people did, as it is read: the history of a row, and whether the log stands by a line."""

from __future__ import annotations

import hashlib

from django.db.models import Model, QuerySet

from hashshare.models import Deed, Leaf, Subscription
from hashshare.selectors.audits import entries_between
from hashshare.wire.errors import HashshareError
from hashshare.wire.log.deeds import DeedRow
from hashshare.wire.log.leaves import DEED, Opening, check_opening


def deeds_about(row: Model) -> QuerySet[Deed]:
    """Oldest first, as a history is read."""
    found = Deed.objects.filter(table=row._meta.label_lower, row=str(row.pk))
    return found.select_related("person").order_by("at", "pk")


def done_last(row: Model, *, person: object, what: str, reason: str) -> bool:
    """Whether the newest deed about the row is this one, of this person, with this reason: then a form that says the
    same once more is a second click.
    """
    last = deeds_about(row).last()
    return last is not None and (last.person, last.what, last.reason) == (person, what, " ".join(reason.split()))


def decided_by(row: Subscription) -> str:
    """Who decided last on a subscription: a person by e-mail, else the hotline's machine, or who sat at this hub's."""
    last = _last_decision(row)
    if last is not None:
        return str(last.person or "an operator at the hub's machine")
    return f"a machine of {row.list.publisher.organisation}"


def decided_in_place(row: Subscription) -> bool:
    """Whether an operator took the last decision in place of the hotline."""
    last = _last_decision(row)
    return last is not None and (last.person is None or last.role == "operator")


def _last_decision(row: Subscription) -> Deed | None:
    """None of one that a machine sent."""
    since = row.decided_at or row.requested_at
    return deeds_about(row).filter(what__in=("Grant", "Deny", "Revoke"), at__gte=since).last()


def standing(deed: Deed) -> str:
    """`sealed`, `waiting` for its place in the log, `unlogged` (from before there was one), or `changed`: the log holds
    something else than the table says now.
    """
    leaf = Leaf.objects.filter(deed=deed).select_related("log").first()
    if leaf is None or leaf.row is None or leaf.nonce is None:
        return "unlogged"
    if row_of(deed).to_row() != leaf.row:
        return "changed"
    if leaf.index is None:
        return "waiting"
    (entry,) = entries_between(leaf.log, leaf.index, leaf.index + 1)
    try:
        check_opening(Opening(bytes(leaf.nonce), leaf.row), entry=entry, label=DEED)
    except HashshareError:
        return "changed"
    return "sealed"


def row_of(deed: Deed) -> DeedRow:
    """What the log has to say of it."""
    return DeedRow(
        person=deed.person.email if deed.person else "",
        role=deed.role,
        organisation=deed.organisation.slug if deed.organisation else "",
        what=deed.what,
        about=deed.about,
        reason=deed.reason,
        noted_sha256=hashlib.sha256(deed.noted.encode()).hexdigest(),
        at=deed.at,
    )

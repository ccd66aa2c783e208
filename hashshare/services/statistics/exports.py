"""Handing out an edition's figures: each time noted, with who took them; the JSON signed with the hub's key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from hashshare.hub_keys import hub_keys
from hashshare.models import PeriodFigure, Person, StatisticPeriod
from hashshare.periods import Period
from hashshare.selectors.commitments import ActionState
from hashshare.selectors.demonstration import is_demonstration
from hashshare.selectors.recovery import refuse_restored
from hashshare.services.deeds import note_deed
from hashshare.wire.documents import write_time
from hashshare.wire.statistics import sign_statistics


@transaction.atomic
def note_export(*, edition: StatisticPeriod, form: str, by: Person, now: datetime) -> None:
    """`form`: CSV, JSON or report. Raises HubRestored, since nothing can be noted then."""
    refuse_restored()
    note_deed(person=by, what=f"Export statistics as {form}", about=f"Statistics of {edition}", now=now)


def signed_statistics(
    *,
    edition: StatisticPeriod,
    definitions: Mapping[str, Mapping[str, str]],
    commitments: Iterable[ActionState],
    now: datetime,
) -> bytes:
    """Every figure of the edition in every scope, as it is shown on the page, in a signed document."""
    period = Period(edition.kind, edition.start)  # type: ignore[arg-type]  # one of its choices
    document = {
        "hub": settings.HASHSHARE_PUBLIC_URL,
        **({"made_up": True} if is_demonstration() else {}),
        "period": edition.label,
        "kind": edition.kind,
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "revision": edition.revision,
        "reason": edition.reason,
        "as_of": edition.as_of.isoformat(),
        "frozen_at": write_time(edition.frozen_at) if edition.frozen_at else None,
        "exported_at": write_time(now),
        "definitions": {metric: dict(words) for metric, words in definitions.items()},
        "figures": [
            {"metric": it.metric, "scope": it.scope, "part": it.part, "value": it.value, "withheld": it.withheld}
            for it in PeriodFigure.objects.filter(period=edition).order_by("metric", "scope", "part")
        ],
        "commitments": [commitment_document(state) for state in commitments],
    }
    return sign_statistics(document, signer=hub_keys().online)


def commitment_document(state: ActionState) -> dict[str, Any]:
    """One action of the statement; signatories are named as on the page."""
    return {
        "action": state.action.key,
        "text": state.action.text,
        "signed": state.signed,
        "in_progress": state.in_progress,
        "done": state.done,
        "verified": state.verified,
        "named": [
            {
                "signatory": it.signatory.name,
                "country": it.signatory.country,
                "state": it.state,
                "standing": it.standing,
                "source": it.source,
                "dated": it.dated.isoformat(),
            }
            for it in state.named
        ],
    }

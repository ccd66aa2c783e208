"""Commitments as they stand: of each signatory and action the newest that was accepted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from hashshare.disclosure import Count
from hashshare.models import Commitment, Organisation, StatementAction

PUBLIC_BODIES = (Organisation.Kind.HOTLINE, Organisation.Kind.PARTNER)
ACCEPTED = (Commitment.Standing.SELF_REPORTED, Commitment.Standing.VERIFIED)


@dataclass(frozen=True, slots=True)
class ActionState:
    """How many signatories are how far with an action, as it may be shown, and those that are named, by name."""

    action: StatementAction
    signed: int
    in_progress: int
    done: int
    verified: int
    named: tuple[Commitment, ...]

    @property
    def signatories(self) -> int:
        return self.signed + self.in_progress + self.done


def open_actions() -> QuerySet[StatementAction]:
    """The actions of the statement in its order."""
    return StatementAction.objects.filter(retired_at=None)


def standing_commitments() -> QuerySet[Commitment]:
    """One row for each signatory in force and open action."""
    accepted = Commitment.objects.filter(standing__in=ACCEPTED)
    newest = accepted.order_by("signatory_id", "action_id", "-entered_at", "-pk").distinct("signatory_id", "action_id")
    rows = Commitment.objects.filter(pk__in=newest.values("pk"))
    return rows.filter(signatory__state=Organisation.State.ACTIVE, action__retired_at=None).select_related("signatory")


def may_be_named(organisation: Organisation) -> bool:
    """To observers: public bodies, and whoever agreed to it."""
    return organisation.kind in PUBLIC_BODIES or organisation.named_since is not None


def action_states(*, country: str | None = None, sector: str | None = None) -> list[ActionState]:
    """In the order of the statement; two queries. `country`, `sector`: of the signatories that are named alone, since
    those of others cannot be told apart there.
    """
    rows = list(standing_commitments().order_by("signatory__name"))
    if country is not None or sector is not None:
        rows = [it for it in rows if may_be_named(it.signatory) and _is_of(it.signatory, country, sector)]
    return [_state(action, [it for it in rows if it.action_id == action.pk]) for action in open_actions()]


def own_commitments(*, organisation: uuid.UUID) -> QuerySet[Commitment]:
    """All that an organisation entered, the newest first."""
    return Commitment.objects.filter(signatory=organisation).select_related("action")


def _is_of(organisation: Organisation, country: str | None, sector: str | None) -> bool:
    return country in {None, organisation.country} and sector in {None, organisation.sector.replace("|", "/")}


def _state(action: StatementAction, rows: list[Commitment]) -> ActionState:
    def shown(chosen: list[Commitment]) -> int:
        return Count(len(chosen), sum(not may_be_named(it.signatory) for it in chosen)).shown

    states = {state: shown([it for it in rows if it.state == state]) for state in Commitment.State.values}
    verified = shown([it for it in rows if it.standing == Commitment.Standing.VERIFIED])
    named = tuple(it for it in rows if may_be_named(it.signatory))
    return ActionState(action, **states, verified=verified, named=named)

"""What an operator does about another hub from its page. The services decide; words for people stand here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from django import forms
from django.utils import timezone

from federation.admin.second_clicks import sent_again
from federation.selectors.agreements import agreements_with
from federation.selectors.peers import is_active
from federation.services.agreements import agree, agreed_so_far
from federation.services.checks import check_peer
from federation.services.peers import (
    accept_peer,
    end_peer,
    forget_storage,
    introduce_peer,
    name_storage,
    resume_peer,
    suspend_peer,
)
from federation.services.polling import ask_anew
from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.selectors.deeds import done_last
from hashshare.wire.errors import Conflict, HashshareError
from hashshare.wire.fingerprints import spoken


class Introduction(forms.Form):
    url = forms.URLField(
        label="Address of the hub",
        max_length=300,
        assume_scheme="https",
        help_text="As its operator gave it to you, such as https://north.example/. It is asked what it is, for 20 "
        "seconds at most; nothing it says gives it a right here.",
    )


class Acceptance(forms.Form):
    fingerprint = forms.CharField(
        label="Fingerprint that you heard",
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 30, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Four lines, with the two digits of check at the end of each. Type what you hear, not what this hub "
        "shows: else you compare it with itself.",
    )
    country = forms.CharField(
        max_length=2,
        required=False,
        help_text="Two letters, for a hub that does not say where it is. Lists closed to a country depend on it.",
    )


class Terms(forms.Form):
    """`seen` is what was agreed when the form was opened: nothing that was agreed since is replaced by it."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    direction = forms.ChoiceField(choices=[("out", "To the peer"), ("in", "From the peer")])
    publisher = forms.CharField(max_length=253, help_text="Its domain, such as aurora.example.")
    slug = forms.CharField(label="List", max_length=63, required=False, help_text="Empty: all lists of the publisher.")
    until = forms.DateField(
        required=False,
        help_text="Until the end of this day, UTC. Empty: until somebody ends it.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    evidence = forms.ChoiceField(
        choices=[("documents", "Members' signed statements"), ("counts", "Numbers only")],
        help_text="What the hub that receives tells of its members: whether they applied what was withdrawn.",
    )


class Storage(forms.Form):
    host = forms.CharField(
        max_length=256,
        help_text="Host of the peer's object storage, with its port if it has one, such as bucket.s3.example. The peer "
        "may send this hub there for objects, whose digests are signed, and for nothing else.",
    )


class ForgottenStorage(Storage):
    takes_away = True


def _introduce(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    peer = introduce_peer(url=data["url"], now=timezone.now())
    return Outcome(f"{peer} is introduced. Compare its fingerprint by voice, then accept it.", row=peer)


def _accept(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
    peer = accept_peer(name=row.name, fingerprint=data["fingerprint"], country=data["country"], now=timezone.now())
    return Outcome(f"{peer} is a peer of this hub.", noted=peer.fingerprint)


def _check(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
    """What went wrong is kept on the peer's page: it must stand although nothing good came of it."""
    try:
        check_peer(peer=row, now=timezone.now())
    except HashshareError as error:
        return Outcome(f"Asked, in vain: {error.message}", noted=error.message)
    ask_anew(peer=row)
    return Outcome(f"{row} is the hub that was accepted. What could not be copied from it is tried again now.")


def _terms(data: dict[str, Any]) -> dict[str, Any]:
    until = data["until"] and datetime.combine(data["until"], time(23, 59, 59), UTC)
    subject = {name: data[name].strip().lower() for name in ("publisher", "slug")}
    return {**subject, "direction": data["direction"], "until": until or None, "evidence": data["evidence"]}


def _agree(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
    made = agree(peer=row.name, seen=data["seen"], now=timezone.now(), **_terms(data))
    return Outcome(
        f"Agreed: {made}.", noted=f"{made}, {made.evidence}, until {made.until or 'it is ended'}", ended=(made,)
    )


def _agreed_again(row: Any, posted: Mapping[str, Any], actor: Any) -> str:
    """For the second of two clicks: what the first one agreed on, if just that stands."""
    form = Terms(posted)
    if not form.is_valid() or not done_last(row, person=actor, what=AGREE, reason=""):
        return ""
    standing = agreements_with(peer=row).filter(**_terms(form.cleaned_data)).first()
    return f"Agreed: {standing}." if standing is not None else ""


def _changed(service: Callable[..., Any], says: str) -> Callable[[Any, dict[str, Any], Any], Outcome]:
    def perform(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
        service(name=row.name, now=timezone.now())
        return Outcome(f"{row} {says}")

    return perform


def _name_storage(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
    if data["host"].strip().lower() in row.storage:
        raise Conflict(f"{data['host']} is named already.")
    peer = name_storage(name=row.name, host=data["host"])
    return Outcome(f"Objects of {peer} may come from {', '.join(peer.storage)}.", noted=data["host"])


def _forget_storage(row: Any, data: dict[str, Any], actor: Any) -> Outcome:
    forget_storage(name=row.name, host=data["host"])
    return Outcome(f"Objects of {row} come from {data['host']} no longer.", noted=data["host"])


def _to_accept(row: Any) -> bool:
    return row.state == "introduced" or (row.differs is not None and row.state != "ended")


def _is_active(row: Any) -> bool:
    return is_active(row)


def _is_kept_out(row: Any) -> bool:
    return row.state in ("active", "suspended") and not is_active(row)


def _was_accepted(row: Any) -> bool:
    return row.state in ("active", "suspended")


def _what_accepting_means(row: Any) -> str:
    call = (
        f"Call the operator of {row.title}, at a number that you had before. They open Peers at their hub, or run "
        "manage.py peer fingerprint, and read this hub's fingerprint of theirs out; you do the same with yours."
    )
    if row.differs is not None:
        return (
            f"{call}\n\nThe hub at {row.url} shows other keys than were accepted. If its operator has made new ones, "
            "type the fingerprint of these: the old key is refused from then on. If not, somebody stands in between: "
            f"type the one that was accepted ({spoken(row.fingerprint)}), and find out who, before you do."
        )
    where = row.country or "the country that you name"
    return (
        f"{call}\n\nFrom then on {row.name} signs in here with its key, as a hub in {where} that may be named to "
        "others. Nothing crosses before both hubs have agreed on it. The public log tells of it."
    )


AGREE: Final = "Agree on what crosses"

INTRODUCE: Final = Deed("introduce", "Introduce a hub", _introduce, form=Introduction)

OF_A_PEER: Final = (
    Deed(
        "accept",
        "Accept",
        _accept,
        _what_accepting_means,
        Acceptance,
        _to_accept,
        repeated=sent_again("Accept", lambda row: f"{row} is a peer of this hub."),
    ),
    Deed(
        "agree",
        AGREE,
        _agree,
        lambda row: (
            f"What both hubs have agreed on crosses, as far as the publisher's signed policy lets it. The operator of "
            f"{row.name} enters the same there, with the direction turned round."
        ),
        Terms,
        _is_active,
        initial=lambda row: {"seen": agreed_so_far(row)},
        repeated=_agreed_again,
    ),
    Deed(
        "resume",
        "Resume",
        _changed(resume_peer, "is let in again."),
        lambda row: f"The key of {row} opens doors again, and what was agreed crosses again, at once.",
        applies=_is_kept_out,
        repeated=sent_again("Resume", lambda row: f"{row} is let in again."),
    ),
    Deed("check", "Check its address", _check, lambda row: f"{row.url} is asked what it is.", applies=_was_accepted),
    Deed("name-storage", "Name its storage", _name_storage, form=Storage, applies=_was_accepted),
    Deed(
        "forget-storage",
        "Forget its storage",
        _forget_storage,
        lambda row: f"Named until now: {', '.join(row.storage)}.",
        ForgottenStorage,
        lambda row: bool(row.storage),
    ),
    Deed(
        "suspend",
        "Suspend",
        _changed(suspend_peer, "is suspended."),
        lambda row: (
            f"{row} is refused from now on, its tokens too, and nothing is asked of it. What it has copied stays with "
            "it; its members get nothing new from here, withdrawals included, and members here nothing new from there."
        ),
        Reason,
        _is_active,
        repeated=sent_again("Suspend", lambda row: f"{row} is suspended."),
    ),
    Deed(
        "end",
        "End",
        _changed(end_peer, "is no peer any more."),
        lambda row: (
            f"{row} is refused for good, and every agreement with it ends. What was copied from it stays here and "
            "grows old. To become a peer again it is introduced and compared anew."
        ),
        Reason,
        lambda row: row.state != "ended",
        repeated=sent_again("End", lambda row: f"{row} is no peer any more."),
    ),
)

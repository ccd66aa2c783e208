"""Digests that the operator keeps out of every list because they are known to be harmless."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone

from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import GuardedDigest
from hashshare.services.guards import guard_digest, stop_guarding


class NewGuard(forms.Form):
    algorithm = forms.CharField(max_length=48, help_text="Such as sha256, md5, sha1, pdq or photodna.")
    digest = forms.CharField(max_length=2048, help_text="Hexadecimal.")
    note = forms.CharField(max_length=200, help_text="What it is the digest of, and how that is known.")


def _consequence(row: None) -> str:
    return (
        "A release that holds this digest is rejected from now on. Lists that hold it already stay as they are: "
        "tell their hotlines."
    )


def _guard(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    made = guard_digest(algorithm_name=data["algorithm"], text=data["digest"], note=data["note"], now=timezone.now())
    return Outcome(f"Releases with this {made.algorithm} digest are refused from now on.", row=made)


def _stop(row: GuardedDigest, data: dict[str, Any], actor: Any) -> Outcome:
    stop_guarding(guarded=row)
    return Outcome(f"{row} is not guarded any more.", gone=True)


@admin.register(GuardedDigest, site=site)
class GuardedDigestAdmin(RecordAdmin):
    empty_state = "The digests that every hub guards are built in; ones that you add appear here."
    list_display = ("algorithm", "digest", "note", "created_at")
    list_filter = ("algorithm",)
    search_fields = ("digest", "note")
    fields = ("algorithm", "digest", "note", "created_at")
    table_deeds = (
        Deed(
            "guard",
            "Guard a digest",
            _guard,
            _consequence,
            NewGuard,
        ),
    )
    deeds = (Deed("stop", "Stop guarding", _stop, lambda row: f"Releases may hold {row} again, in any list.", Reason),)

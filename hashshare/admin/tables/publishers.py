"""Publishers: hotlines' domain names and the fingerprints that members pin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.marks import in_groups, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Publisher
from hashshare.selectors.beginnings import open_beginning, subscribers
from hashshare.selectors.hub import named_standby_hub, publisher_state, with_roots
from hashshare.services.beginnings import allow_beginning, withdraw_beginning


class Anew(Reason):
    root_now = forms.CharField(
        label="Root fingerprint that is to be replaced",
        max_length=200,
        help_text="As the hotline reads it to you by telephone, not copied from this page.",
    )
    field_order = ("root_now", "reason")


def _allow(row: Publisher, data: dict[str, Any], actor: Any) -> Outcome:
    done = allow_beginning(
        domain=row.domain, root_now=data["root_now"], by=actor.email, reason=data["reason"], now=timezone.now()
    )
    message = f"{row} may begin anew, once, until {done.ends_at:%d %B %Y}: hashshare publisher init {row} --anew"
    return Outcome(message, ended=(done,))


def _withdraw(row: Publisher, data: dict[str, Any], actor: Any) -> Outcome:
    done = withdraw_beginning(domain=row.domain, now=timezone.now())
    return Outcome(f"{row} may no longer begin anew.", ended=(done,))


def _may_be_let(row: Publisher) -> bool:
    return bool(row.root_fingerprint) and not _may(row)


def _may(row: Publisher) -> bool:
    return open_beginning(row, now=timezone.now()) is not None


def _consequence(row: Publisher) -> str:
    members = subscribers(publisher=row, now=timezone.now())
    return (
        f"For 30 days whoever has a machine key of {row.organisation} can put another root in the place of {row}'s, "
        f"with no signature of its officers. Its {members} {'member' if members == 1 else 'members'} will refuse it, "
        "with an alarm, until a person at each has named the new root. Nothing takes that back: the public log tells "
        "of it for good. Before this, find out by a channel of your own, such as a telephone number that you had "
        "before, that it is the hotline who asks, and that too few of its officers' keys are left."
    )


@admin.register(Publisher, site=site)
class PublisherAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A publisher is made when a hotline is invited with its domain, or from the hotline's page."
    list_display = ("domain", "organisation", "state_mark", "fingerprint", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("domain",)
    fields = ("domain", "organisation", "state_mark", "fingerprint", "standby", "created_at")

    deeds = (
        Deed(
            "begin-anew",
            "Let it begin anew",
            _allow,
            _consequence,
            Anew,
            _may_be_let,
        ),
        Deed(
            "withdraw-beginning",
            "Let it begin anew no longer",
            _withdraw,
            lambda row: f"{row} goes on under the root that it has; a commit with another first root is refused again.",
            Reason,
            _may,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publisher]:
        return with_roots(super().get_queryset(request))

    @admin.display(description="state")
    def state_mark(self, row: Publisher) -> SafeString:
        """Whether the hub may sign for it, and its root names the keys that the hub has."""
        return mark(publisher_state(row))

    @admin.display(description="standby hub")
    def standby(self, row: Publisher) -> str:
        """The other hub that its root lets take over when this one is dead."""
        return named_standby_hub(row) or "none"

    @admin.display(description="root fingerprint")
    def fingerprint(self, row: Publisher) -> str:
        return in_groups(row.root_fingerprint) or "no root committed yet"

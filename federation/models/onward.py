"""Subscriptions across hubs: what a list's publisher chose for each hub, and what these hubs' members ask for.

`HubTerms` and `MemberRequest` stand at the hub where the list is at home, `TakenTerms` and `Relayed` at the one that
has the copy.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from federation.models.agreements import Agreement
from hashshare.models import HashList, Organisation, Subscription


class Members(models.TextChoices):
    """Who decides on the members of a hub that is subscribed to a list."""

    EACH = "each", "The publisher, on each"
    HUB = "hub", "The hub, on its own"


class HubTerms(models.Model):
    """The publisher's choice for the hub that holds `subscription`. Without a row, it decides on each member itself.

    `evidence`: what it wants the hub to tell of its members; empty for what the hubs agreed on.
    """

    subscription = models.OneToOneField(Subscription, on_delete=models.CASCADE, related_name="hub_terms")
    members = models.CharField(max_length=8, choices=Members.choices, default=Members.EACH)
    evidence = models.CharField(max_length=16, choices=Agreement.Evidence.choices, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["subscription"]
        constraints = [
            models.CheckConstraint(condition=Q(members__in=["each", "hub"]), name="hubterms_members_known"),
            models.CheckConstraint(
                condition=Q(evidence__in=["", "documents", "counts"]), name="hubterms_evidence_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.members}"


class MemberRequest(models.Model):
    """What a member of another hub asks for, as that hub relays it: all that is known here of the organisation.

    `origin` is the request's id at the hub. `number` rises by one with each decision for the hub, which asks for those
    after the last that it knows; 0 before the first. `suspended`: by its own hub, so that a grant gives it nothing.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ACTIVE = "active", "Active"
        DENIED = "denied", "Denied"
        REVOKED = "revoked", "Revoked"
        CLOSED = "closed", "Ended at its hub"
        LEFT = "left", "Left to its hub"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hub = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="member_requests")
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="member_requests")
    origin = models.UUIDField()
    slug = models.CharField(max_length=63)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    sector = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=16)
    terms_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.REQUESTED)
    suspended = models.BooleanField(default=False)
    requested_at = models.DateTimeField(help_text="As its hub says")
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["list", "hub", "slug", "-requested_at"]
        verbose_name = "request from another hub"
        verbose_name_plural = "requests from other hubs"
        constraints = [
            models.UniqueConstraint(fields=["hub", "origin"], name="memberrequest_once_per_origin"),
            models.UniqueConstraint(
                fields=["hub", "list", "slug"],
                condition=Q(state__in=["requested", "active"]),
                name="memberrequest_one_open",
            ),
            models.UniqueConstraint(
                fields=["hub", "number"], condition=Q(number__gt=0), name="memberrequest_numbered_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "active", "denied", "revoked", "closed", "left"]),
                name="memberrequest_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug}@{self.hub} to {self.list}"


class TakenTerms(models.Model):
    """What the peer last said of a list that is copied from it: who decides on members here, and whether it still gives
    the list (`given`), else why not. `closed_for`: why it may not be passed on, since `HashList.closed_at`.
    """

    list = models.OneToOneField(HashList, on_delete=models.CASCADE, related_name="taken_terms")
    members = models.CharField(max_length=8, choices=Members.choices, default=Members.EACH)
    evidence = models.CharField(max_length=16, choices=Agreement.Evidence.choices, blank=True)
    given = models.BooleanField(default=True)
    why = models.CharField(max_length=500, blank=True)
    closed_for = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["list"]
        constraints = [
            models.CheckConstraint(condition=Q(members__in=["each", "hub"]), name="takenterms_members_known"),
        ]

    def __str__(self) -> str:
        return f"{self.list}: {self.members}"


class Relayed(models.Model):
    """A request of a member of this hub on its way to the list's home. `told` is the state that the home last took,
    empty for none, with the terms of that `digest` accepted; `refused` its reason for taking none. `decided_at` is the
    home's time of the last decision that was followed here: an older one changes nothing any more.
    """

    subscription = models.OneToOneField(Subscription, on_delete=models.CASCADE, related_name="relayed")
    told = models.CharField(max_length=16, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    refused = models.CharField(max_length=500, blank=True)
    number = models.PositiveBigIntegerField(default=0)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["subscription"]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.told or 'not told'}"

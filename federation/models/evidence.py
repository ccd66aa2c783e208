"""What other hubs told of their members: numbers, names where they may be known, and what the members signed."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from federation.models.peers import Peer
from hashshare.models import HashList, Leaf


def no_hubs() -> list[str]:
    """A named default, because `list` is a field inside the class."""
    return []


class RemoteHub(models.Model):
    """A hub at which a list has members, as `peer` tells. `path`: the hubs from the peer to it, itself the last; empty
    for the peer. `mode`: documents or counts.
    """

    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="told_of", db_index=False)
    list = models.ForeignKey(HashList, on_delete=models.CASCADE, related_name="remote_hubs")
    path = ArrayField(models.CharField(max_length=253), default=no_hubs, blank=True)
    mode = models.CharField(max_length=16)
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["list", "peer", "path"]
        constraints = [
            models.UniqueConstraint(fields=["peer", "list", "path"], name="remotehub_once"),
            models.CheckConstraint(condition=Q(mode__in=["documents", "counts"]), name="remotehub_mode_known"),
        ]

    def __str__(self) -> str:
        return str(self.path[-1] if self.path else self.peer)


class RemoteCount(models.Model):
    """A release with withdrawals at that hub. Seconds are from `served_at`, by that hub's clock, until applied."""

    hub = models.ForeignKey(RemoteHub, on_delete=models.CASCADE, related_name="counts", db_index=False)
    version = models.PositiveBigIntegerField()
    served_at = models.DateTimeField()
    entitled = models.PositiveIntegerField()
    applied = models.PositiveIntegerField()
    purged = models.PositiveIntegerField()
    overdue = models.PositiveIntegerField()
    median_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    p95_seconds = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["hub", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["hub", "version"], name="remotecount_once"),
            models.CheckConstraint(
                condition=Q(purged__lte=F("applied"), entitled__gte=F("applied") + F("overdue")),
                name="remotecount_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hub} v{self.version}"


class RemoteMember(models.Model):
    """A member of that hub that has the list, under its slug there. `name` is empty unless it agreed to be named."""

    hub = models.ForeignKey(RemoteHub, on_delete=models.CASCADE, related_name="members", db_index=False)
    organisation = models.CharField(max_length=63)
    name = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    access = models.BooleanField()

    class Meta:
        ordering = ["hub", "organisation"]
        constraints = [models.UniqueConstraint(fields=["hub", "organisation"], name="remotemember_once")]

    def __str__(self) -> str:
        return self.name or self.organisation


class RemoteAcknowledgement(models.Model):
    """`statement` is the DSSE document as the member signed it with `key` (fingerprint; `public_key` raw, on its hub's
    word). `received_at`: when its hub had it; `taken_at`: when it came here. `leaf`: of the publisher's delivery log
    here, null once its opening was erased.
    """

    member = models.ForeignKey(RemoteMember, on_delete=models.CASCADE, related_name="statements", db_index=False)
    version = models.PositiveBigIntegerField()
    purged = models.PositiveBigIntegerField()
    manifest_digest = models.CharField(max_length=64)
    statement = models.TextField()
    key = models.CharField(max_length=64)
    public_key = models.BinaryField(max_length=32)
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField(default=timezone.now, db_index=True)
    leaf = models.OneToOneField(
        Leaf, on_delete=models.PROTECT, null=True, blank=True, related_name="remote_acknowledgement"
    )

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "version", "purged", "manifest_digest"], name="remoteacknowledgement_once"
            ),
            models.CheckConstraint(
                condition=Q(purged__lte=F("version")), name="remoteacknowledgement_purged_is_applied"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "purged"], name="remoteack_purged_index"),
        ]

    def __str__(self) -> str:
        return f"{self.member} v{self.version}"

"""Witnessing, both ways: what this hub cosigned of its peers' logs and saw of them, and who cosigned ours."""

from __future__ import annotations

from typing import Any

from django.db import models

from federation.models.mirrors import MirroredPublisher
from federation.models.peers import Peer
from hashshare.models import Log


class WitnessedLog(models.Model):
    """A peer's log as this hub cosigned it last: it never cosigns what does not extend that. `size` 0: never yet.

    `root` is the 32 bytes that `checkpoint`, the note as it was sent, signs. `disputed` is a signed note that was not
    shown to extend it, which may prove something or may only have come with a wrong proof: whoever watches looks.
    """

    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="witnessed")
    origin = models.CharField(max_length=400, unique=True)
    size = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField(max_length=32)
    checkpoint = models.TextField(blank=True)
    cosigned_at = models.DateTimeField(null=True, blank=True)
    disputed = models.TextField(blank=True)
    disputed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["origin"]

    def __str__(self) -> str:
        return self.origin


class WatchedLog(models.Model):
    """A peer's log as this hub read it last where the public does. A log that only grows always extends it.

    `scanned`: so many of its leaves were looked through for roots that were replaced. `trouble`: why it could not be
    compared, since when, as a problem document; null when it could.
    """

    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="watched")
    origin = models.CharField(max_length=400, unique=True)
    size = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=32)
    checkpoint = models.TextField()
    seen_at = models.DateTimeField()
    scanned = models.PositiveBigIntegerField(default=0)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["origin"]

    def __str__(self) -> str:
        return self.origin


class Cosigning(models.Model):
    """What a witness knows of one of our logs. `witness` is its verifier key (vkey); `size` what it cosigned last.

    `trouble`: why the last attempt failed, as a problem document; null when it did not.
    """

    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="cosignings")
    origin = models.CharField(max_length=400)
    witness = models.CharField(max_length=600)
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    cosigned_at = models.DateTimeField(null=True, blank=True)
    checkpoint = models.TextField(blank=True)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["log", "witness"]
        constraints = [
            models.UniqueConstraint(fields=["origin", "witness"], name="cosigning_once_per_log_and_witness"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} by {self.witness.partition('+')[0]}"


class CheckedRoot(models.Model):
    """A root that is mirrored from a peer, and where the peer's publication log has it: null while it was not found.

    `searched` leaves of the log were looked through so far.
    """

    mirror = models.ForeignKey(MirroredPublisher, on_delete=models.CASCADE, related_name="checked_roots")
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    index = models.PositiveBigIntegerField(null=True, blank=True)
    searched = models.PositiveBigIntegerField(default=0)
    met_at = models.DateTimeField()

    class Meta:
        ordering = ["mirror", "version"]
        constraints = [
            models.UniqueConstraint(fields=["mirror", "version", "sha256"], name="checkedroot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mirror} root {self.version}"

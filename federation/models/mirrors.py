"""What is copied from a peer: a publisher's repository, and how far each of its lists is behind."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from federation.models.peers import Peer
from hashshare.models import HashList, Publisher


class MirroredPublisher(models.Model):
    """`root` is the fingerprint of root version 1 as the peer offered it first; another is never taken by itself.

    `copied_at`: when metadata of the peer was last verified and stored here. `trouble`: why the last attempt failed;
    `failures`: how many in a row did, the last at `tried_at`. `path`: the hubs from the home hub to the peer, by name.
    `offered_root`: the version of its root that the peer's heads named last. `generation` rises when an operator lets
    it be followed afresh; `served_generation` is that of what is served here.
    """

    class State(models.TextChoices):
        FOLLOWING = "following", "Following"
        ALARMED = "alarmed", "Stopped, somebody has to look"
        ENDED = "ended", "Ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publisher = models.OneToOneField(Publisher, on_delete=models.PROTECT, related_name="mirror")
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="mirrors")
    root = models.CharField(max_length=64)
    path: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.FOLLOWING)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    copied_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    offered_root = models.PositiveBigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    served_generation = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["publisher"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["following", "alarmed", "ended"]), name="mirror_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.publisher} from {self.peer}"


class MirroredList(models.Model):
    """`offered_*`: what the peer's heads said at `seen_at`; beside the list's own numbers they give the lag.

    `behind_since`: since when the peer has had something newer than we have, null when it has not. `members`: whether
    its publisher leaves it to this hub which of its members read it, or is asked for each; `evidence`: what this hub
    tells of them. `allowed`: whether both hubs let it cross, as of the last poll.
    """

    list = models.OneToOneField(HashList, on_delete=models.CASCADE, related_name="mirror")
    mirror = models.ForeignKey(MirroredPublisher, on_delete=models.CASCADE, related_name="lists")
    offered_version = models.PositiveBigIntegerField(default=0)
    offered_role_version = models.PositiveBigIntegerField(default=0)
    allowed = models.BooleanField(default=True)
    members = models.CharField(max_length=8, default="each")
    evidence = models.CharField(max_length=16, default="documents")
    seen_at = models.DateTimeField(null=True, blank=True)
    behind_since = models.DateTimeField(null=True, blank=True)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["list"]

    def __str__(self) -> str:
        return str(self.list)

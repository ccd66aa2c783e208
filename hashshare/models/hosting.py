"""Hosted keys: feed keys that the hub keeps for hotlines without tooling of their own."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.keys import OrganisationKey
from hashshare.models.lists import HashList


class HostedKey(models.Model):
    """Only the public half stands here; the private one follows from the hub's hosted.pem, the list's id and `number`.

    `keyid` is that of TUF metadata. `hand` is the request key with which the hub's worker hands over what it signed:
    a key of the hotline's organisation like any other. In use from `accepted_at`, when targets named it, until
    `retired_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="hosted_keys")
    number = models.PositiveIntegerField()
    keyid = models.CharField(max_length=64, unique=True)
    public_key = models.BinaryField(max_length=32)
    hand = models.ForeignKey(OrganisationKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["list", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="hostedkey_number_once_per_list"),
            models.UniqueConstraint(
                fields=["list"],
                condition=Q(accepted_at__isnull=False, retired_at=None),
                name="hostedkey_one_in_use_per_list",
            ),
        ]

    def __str__(self) -> str:
        return f"hosted key {self.number} of {self.list}"

"""Read-only access keys for curl and other people's clients. The secret is shown once and stored hashed."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from hashshare.models.keys import OrganisationKey
from hashshare.models.organisations import Organisation
from hashshare.models.people import Person


class AccessKey(models.Model):
    """`made_with`: the organisation key that signed the request for it; `made_by`: the person who made it at the pages.

    Either may be None; `last_seen_at` is when it last fetched a manifest, an hour too early at most.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="access_keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    made_with = models.ForeignKey(
        OrganisationKey, on_delete=models.PROTECT, null=True, blank=True, related_name="access_keys", editable=False
    )
    made_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="access_keys", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.name} (hsk_{self.prefix})"

"""Stored objects: what was uploaded for a list, and since when a published manifest names it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.lists import HashList


class StoredObject(models.Model):
    """The bytes lie in the object store under `<tuf_id>/<digest>.<name>`. Served only while `published_at` is set."""

    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="objects_stored")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    length = models.PositiveBigIntegerField()
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["list", "name", "uploaded_at"]
        constraints = [
            models.UniqueConstraint(fields=["list", "digest", "name"], name="storedobject_unique_per_list"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="storedobject_digest_shape"),
        ]
        indexes = [models.Index(fields=["-uploaded_at", "-id"], name="storedobject_newest_index")]

    def __str__(self) -> str:
        return f"{self.digest}.{self.name}"

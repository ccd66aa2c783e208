"""What was last counted in the entries of each list, and in those of all lists together. Numbers only."""

from __future__ import annotations

from typing import Any

from django.db import models

from hashshare.models.lists import HashList


def nothing() -> dict[str, Any]:
    """A named default."""
    return {}


class ListCount(models.Model):
    """The entries of the manifest with that digest that had not lapsed on `counted_on` (UTC).

    `hashes`: by algorithm. `divided`: column -> word -> entries, "" for what says nothing. `lapsed`: date -> entries
    that lapsed then. `next_lapse`: when the count is out of date though the list has not moved.
    """

    list = models.OneToOneField(HashList, on_delete=models.CASCADE, related_name="count")
    manifest_digest = models.CharField(max_length=64)
    counted_on = models.DateField()
    entries = models.PositiveBigIntegerField()
    hashes = models.JSONField(default=nothing)
    divided = models.JSONField(default=nothing)
    lapsed = models.JSONField(default=nothing)
    next_lapse = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["list"]

    def __str__(self) -> str:
        return f"{self.list_id} on {self.counted_on}"


class OverlapCount(models.Model):
    """How many keys two hotlines both have, of lists with the same key algorithm.

    `of`: list id -> digest of the manifest that was counted. `pairs`: [domain, domain, entries] in alphabetical order.
    """

    algorithm = models.CharField(max_length=64, unique=True)
    of = models.JSONField(default=nothing)
    pairs = models.JSONField(default=list)
    counted_on = models.DateField()

    class Meta:
        ordering = ["algorithm"]

    def __str__(self) -> str:
        return f"{self.algorithm} on {self.counted_on}"

"""Whether everything on this hub is made up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Demonstration(models.Model):
    """One row, or none: then the hub is real."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="demonstration_at_most_one")]

    def __str__(self) -> str:
        return f"made up on {self.made_at:%Y-%m-%d}"

"""What people did on the pages or at the hub's machine, and why. Written with each deed, never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.organisations import Organisation
from hashshare.models.people import Person


class Deed(models.Model):
    """`person` is None for what was done at the hub's machine; `organisation` is the person's own, none of an operator.

    Role and organisation are those of that moment. `table` and `row` say which row it was about, if any, whose name
    then is `about`; `noted` is what was done in more words.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="deeds")
    role = models.CharField(max_length=16, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="deeds"
    )
    what = models.CharField(max_length=120)
    about = models.CharField(max_length=255, blank=True)
    table = models.CharField(max_length=100, blank=True, editable=False)
    row = models.CharField(max_length=64, blank=True, editable=False)
    noted = models.TextField(max_length=10_000, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(what=""), name="deed_says_what"),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(role="", organisation__isnull=True),
                name="deed_role_only_of_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["table", "row"], condition=~Q(row=""), name="deed_row_index"),
            models.Index(fields=["at"], name="deed_at_index"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.about}" if self.about else self.what

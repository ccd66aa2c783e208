"""One-time invitations, for an organisation's machine key or for a person. Only a keyed hash of the code is kept."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.keys import OrganisationKey
from hashshare.models.organisations import Organisation
from hashshare.models.people import Person


class Invitation(models.Model):
    """`made_with`: the organisation's own key that asked for the code, None if an operator made it.

    A reset lets `holder`, who has an account, choose anew what `renews` says.
    """

    class Kind(models.TextChoices):
        ORGANISATION = "organisation", "Organisation"
        PERSON = "person", "Person"
        RESET = "reset", "Reset"

    class Renews(models.TextChoices):
        PASSWORD = "password", "Password"
        SECOND_FACTOR = "second factor", "Second factor"
        BOTH = "both", "Password and second factor"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations"
    )
    role = models.CharField(max_length=16, choices=Person.Role.choices, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    key_name = models.CharField(max_length=200, blank=True, help_text="What the machine's key is to be called")
    holder = models.ForeignKey(
        Person,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who answers for the key, or whose reset it is",
    )
    renews = models.CharField(max_length=16, choices=Renews.choices, blank=True)
    made_with = models.ForeignKey(
        OrganisationKey, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations", editable=False
    )
    code_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.CharField(max_length=254, blank=True, help_text="Key fingerprint, or the person's e-mail")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["organisation", "person", "reset"]), name="invitation_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="organisation", role="", organisation__isnull=False)
                | (Q(kind="person") & ~Q(role=""))
                | Q(kind="reset", role=""),
                name="invitation_role_only_for_people",
            ),
            models.CheckConstraint(
                condition=(Q(kind="reset", holder__isnull=False) & ~Q(renews="")) | (~Q(kind="reset") & Q(renews="")),
                name="invitation_reset_of_somebody",
            ),
        ]

    def __str__(self) -> str:
        if self.kind == self.Kind.RESET:
            return f"Reset of {self.email}"
        return f"{self.get_kind_display()} invitation of {self.organisation or self.email or 'operator'}"

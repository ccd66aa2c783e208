"""People who sign in to the admin pages. Machines sign in with organisation keys or access keys instead."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from hashshare.models.organisations import Organisation


class Person(AbstractBaseUser):
    """A person's rights follow from the role and the organisation alone: there are no groups to drift away.

    An operator runs the hub and belongs to no organisation; everyone else sees only their own. `second_factor_due`: the
    person sets up a second factor at the next sign-in, for which the password is enough; otherwise who has none needs a
    link from an operator.
    """

    class Role(models.TextChoices):
        OPERATOR = "operator", "Hub operator"
        ANALYST = "analyst", "Analyst"
        ENGINEER = "engineer", "Engineer"
        OBSERVER = "observer", "Observer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="people"
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    second_factor_due = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["role"]

    objects = BaseUserManager()

    class Meta:
        ordering = ["email"]
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="person_email_unique_ignoring_case"),
            models.CheckConstraint(
                condition=Q(role__in=["operator", "analyst", "engineer", "observer"]), name="person_role_known"
            ),
            models.CheckConstraint(
                condition=Q(role="operator", organisation__isnull=True)
                | (~Q(role="operator") & Q(organisation__isnull=False)),
                name="person_operator_has_no_organisation",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Everyone may open the admin site; what is in it depends on the role."""
        return self.is_active

    @property
    def is_operator(self) -> bool:
        return self.is_active and self.role == self.Role.OPERATOR

    @property
    def is_superuser(self) -> bool:
        """What the admin asks before it lets somebody do anything at all."""
        return self.is_operator

    def has_perm(self, perm: str, obj: object = None) -> bool:  # noqa: ARG002
        return self.is_operator

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:  # noqa: ARG002
        return self.is_operator

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002
        return self.is_operator

"""Whether everything on this hub is made up."""

from __future__ import annotations

from hashshare.models import Demonstration


def is_demonstration() -> bool:
    return Demonstration.objects.exists()

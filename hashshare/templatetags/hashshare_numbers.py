"""How numbers are written in templates."""

from __future__ import annotations

from django import template

from hashshare.admin.marks import number

register = template.Library()


@register.filter
def thousands(value: int | None) -> str:
    """1234567 as 1,234,567; a dash for None."""
    return number(value)

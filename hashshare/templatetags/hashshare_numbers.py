"""How numbers, durations and states are written in templates."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from hashshare.admin import marks

register = template.Library()


@register.filter
def thousands(value: int | None) -> str:
    """1234567 as 1,234,567; a dash for None."""
    return marks.number(value)


@register.filter
def duration(seconds: float | None) -> str:
    return marks.duration(seconds)


@register.filter
def state(word: str) -> SafeString:
    return marks.mark(word)

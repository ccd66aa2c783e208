"""How numbers, durations, countries and states are written in templates."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from hashshare.admin import drawing, marks
from hashshare.admin.charts import Chart
from hashshare.admin.sections import Plot
from hashshare.countries import country_name

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


@register.filter
def coded(text: str) -> SafeString:
    """`hashshare sync` as code."""
    return marks.coded(text)


@register.filter
def country(code: str) -> str:
    """NL as Netherlands."""
    return country_name(code)


@register.simple_tag
def svg(chart: Chart, name: str) -> SafeString:
    """The chart, its ids made of `name`."""
    return drawing.svg(chart, name)


@register.simple_tag
def plot_table(plot: Plot) -> SafeString:
    return drawing.table(plot.head, plot.rows)

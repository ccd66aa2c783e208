"""The daily figures as rows, for operators; the page made of them is *Coalition statistics*."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import DailyStatistic


@admin.register(DailyStatistic, site=site)
class DailyStatisticAdmin(RecordAdmin):
    empty_state = "A worker writes these once a day."
    list_display = ("day", "metric", "dimension", "value_count")
    list_filter = ("metric",)
    date_hierarchy = "day"
    fields = ("day", "metric", "dimension", "value_count")

    @admin.display(description="value", ordering="value")
    def value_count(self, row: DailyStatistic) -> str:
        return number(row.value)

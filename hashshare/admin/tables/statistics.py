"""The daily figures as rows, exact, for operators alone; out of them the periods of *Coalition statistics* are made."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.filters import NewestFilter
from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import DailyStatistic


@admin.register(DailyStatistic, site=site)
class DailyStatisticAdmin(RecordAdmin):
    empty_state = "A worker writes these once a day."
    list_display = ("day", "metric", "dimension", "value_count", "private_count")
    list_filter = (("metric", NewestFilter),)
    date_hierarchy = "day"
    sortable_by = ("day",)
    fields = ("day", "metric", "dimension", "value_count", "private_count")

    @admin.display(description="value", ordering="value")
    def value_count(self, row: DailyStatistic) -> str:
        return number(row.value)

    @admin.display(description="of which unnamed", ordering="private")
    def private_count(self, row: DailyStatistic) -> str:
        return number(row.private)

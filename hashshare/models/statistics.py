"""Daily figures for the coalition statistics: counts only, never a hash."""

from __future__ import annotations

from django.db import models


class DailyStatistic(models.Model):
    """`dimension` is empty for the coalition as a whole, else a country, an organisation's or a list's name."""

    day = models.DateField()
    metric = models.CharField(max_length=40)
    dimension = models.CharField(max_length=200, blank=True)
    value = models.BigIntegerField()

    class Meta:
        ordering = ["-day", "metric", "dimension"]
        constraints = [
            models.UniqueConstraint(fields=["day", "metric", "dimension"], name="dailystatistic_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.metric} {self.dimension}".rstrip()

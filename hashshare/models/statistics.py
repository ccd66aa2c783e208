"""The coalition's figures: raw by day, and as they are shown by week, month and quarter. Counts only, never a hash."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class DailyStatistic(models.Model):
    """What was counted on one day (UTC). Nobody but operators sees these: what is shown is made of them by period.

    `dimension` is a scope and a part, `scope|part`; without a part the scope alone, which is empty for the coalition as
    a whole. `private` is how much of `value` is owed to organisations that have not agreed to be named.
    """

    day = models.DateField()
    metric = models.CharField(max_length=40)
    dimension = models.CharField(max_length=800, blank=True)
    value = models.BigIntegerField()
    private = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "metric", "dimension"]
        constraints = [
            models.UniqueConstraint(fields=["day", "metric", "dimension"], name="dailystatistic_unique"),
        ]
        indexes = [models.Index(fields=["metric", "day"], name="dailystatistic_metric_index")]

    def __str__(self) -> str:
        return f"{self.day} {self.metric} {self.dimension}".rstrip()


class StatisticPeriod(models.Model):
    """One edition of a period's figures. While the period runs, its only edition is made anew every day; what is frozen
    changes no more, and a correction is an edition of its own, with the next `revision` and its reason.

    `as_of`: the last day (UTC) that is in it.
    """

    class Kind(models.TextChoices):
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    start = models.DateField()
    label = models.CharField(max_length=8, help_text="Such as 2026-W48, 2026-11 or 2026-Q4")
    revision = models.PositiveIntegerField(default=1)
    as_of = models.DateField()
    made_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was corrected")
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-start", "kind", "-revision"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "start", "revision"], name="statisticperiod_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=["week", "month", "quarter"]), name="statisticperiod_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(revision=1) | (Q(frozen_at__isnull=False) & ~Q(reason="")),
                name="statisticperiod_correction_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.label if self.revision == 1 else f"{self.label}, revision {self.revision}"


class PeriodFigure(models.Model):
    """One figure as it is shown: rounded already, and None where so few are behind it that it is `withheld`.

    `scope`: "" for the coalition, else such as `country:NL`; `part`: what the figure is divided by, such as
    `algorithm:sha256`, or "".
    """

    period = models.ForeignKey(StatisticPeriod, on_delete=models.CASCADE, related_name="figures", db_index=False)
    metric = models.CharField(max_length=40)
    scope = models.CharField(max_length=300, blank=True)
    part = models.CharField(max_length=600, blank=True)
    value = models.BigIntegerField(null=True, blank=True)
    withheld = models.BooleanField(default=False)

    class Meta:
        ordering = ["period", "scope", "metric", "part"]
        constraints = [
            models.UniqueConstraint(fields=["period", "scope", "metric", "part"], name="periodfigure_unique"),
            models.CheckConstraint(
                condition=Q(withheld=True) | Q(value__isnull=False), name="periodfigure_withheld_or_known"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.metric, self.scope, self.part]))

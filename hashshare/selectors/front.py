"""What the public page tells of this hub: nothing that anybody has not agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from hashshare.log_keys import PUBLICATION, origin_of
from hashshare.models import HashList, Log, Organisation, PeriodFigure, Publisher, StatisticPeriod
from hashshare.selectors.organisations import named_organisations
from hashshare.selectors.runs import job_states

COUNTED = ("hotlines", "members", "partners")


@dataclass(frozen=True, slots=True)
class Front:
    """`counts`: organisations by metric, rounded as in the statistics, empty before the first were made; `logs`: the
    public addresses of the publication log and of hotlines that agreed to be named; `late`: whether work is behind.
    """

    name: str
    url: str
    counts: dict[str, int]
    named: tuple[Organisation, ...]
    last_publication: datetime | None
    logs: tuple[str, ...]
    late: bool


def front(*, now: datetime) -> Front:
    """In six cheap queries."""
    named = tuple(named_organisations())
    return Front(
        settings.HASHSHARE_NAME,
        settings.HASHSHARE_PUBLIC_URL,
        newest_counts(),
        named,
        last_publication(),
        public_logs(named),
        any(job.state == "late" for job in job_states(now=now)),
    )


def newest_counts() -> dict[str, int]:
    """Of the running week, as in the statistics: once a day, and rounded where members have not agreed to be named."""
    edition = StatisticPeriod.objects.filter(kind=StatisticPeriod.Kind.WEEK).order_by("-start", "-revision").first()
    rows = PeriodFigure.objects.filter(period=edition, scope="", part="", metric__in=COUNTED)
    return {metric: value for metric, value in rows.values_list("metric", "value") if value is not None}


def last_publication() -> datetime | None:
    """Of any list in the catalogue."""
    rows = HashList.objects.filter(visibility=HashList.Visibility.CATALOGUE, published_at__isnull=False)
    return rows.order_by("-published_at").values_list("published_at", flat=True).first()


def public_logs(named: tuple[Organisation, ...]) -> tuple[str, ...]:
    """Without a scheme, as logs are called."""
    domains = Publisher.objects.filter(organisation__in=named, log__isnull=False).values_list("domain", flat=True)
    publication = [origin_of(PUBLICATION)] if Log.objects.filter(kind=Log.Kind.PUBLICATION).exists() else []
    return (*publication, *(origin_of(domain) for domain in domains.order_by("domain")))

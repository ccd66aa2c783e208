"""How long it took from the publication of a version until a member stated that it had applied it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from django.db.models import (
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from hashshare.models import Acknowledgement, Organisation, Release, Subscription
from hashshare.selectors.compiled import run
from hashshare.selectors.organisations import is_private


class Lag(NamedTuple):
    """Over pairs of a version and a member. `axis`: what the coalition is divided by, "" for the whole; `part`: such as
    NL; `withdrawals`: only of versions that took entries back. `p90`: what nine of ten do not exceed, by nearest rank;
    `organisations`: how many members, of which `private` have not agreed to be named.
    """

    axis: str
    part: str
    withdrawals: bool
    median: timedelta
    p90: timedelta
    organisations: int
    private: int


AXES: Final = {
    "country": "organisation__country",
    "sector": "organisation__sector",
    "hotline": "list__publisher__domain",
}
"""The country or sector of the member, or the hotline of the list."""

AGGREGATES: Final = """
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) {filter},
    percentile_disc(0.9) WITHIN GROUP (ORDER BY lag) {filter},
    count(DISTINCT organisation_id) {filter},
    count(DISTINCT organisation_id) FILTER (WHERE is_private {and_filter})
"""
LAGS: Final = f"""
    SELECT grouping(country, sector, hotline), coalesce(country, sector, hotline, ''),
        {AGGREGATES.format(filter="", and_filter="")},
        {AGGREGATES.format(filter="FILTER (WHERE withdrawals > 0)", and_filter="AND withdrawals > 0")}
    FROM ({{pairs}}) AS pairs (organisation_id, lag, is_private, withdrawals, country, sector, hotline)
    GROUP BY GROUPING SETS ((), (country), (sector), (hotline))
"""
GROUPINGS: Final = {0b111: "", 0b011: "country", 0b101: "sector", 0b110: "hotline"}
"""By PostgreSQL's grouping(): a bit for each axis that is not divided by."""


def lags(*, since: date, until: date) -> list[Lag]:
    """Of what was stated from `since` to `until` (UTC days, both included): of the coalition and of each part of each
    axis. In one query: to find the pairs takes far longer than to group them.
    """
    pairs = applied_pairs(since, until).order_by()
    sql, parameters = pairs.values_list(
        "organisation_id", "lag", "is_private", "taken_back", *AXES.values()
    ).query.sql_with_params()
    found = []
    for grouping, part, *figures in run(LAGS.format(pairs=sql), list(parameters)):
        for withdrawals, of in ((False, figures[:4]), (True, figures[4:])):
            median, p90, organisations, private = of
            # The coalition has a row also where there are no pairs; a part has one where only some took back.
            if organisations:
                found.append(Lag(GROUPINGS[grouping], part, withdrawals, median, p90, organisations, private))
    return found


def applied_pairs(since: date, until: date) -> QuerySet[Acknowledgement]:
    """A row for each version and member, where the statement that covered it first came in these days, annotated with
    `lag`, `is_private` and `taken_back`, the version's withdrawals. Statements never go back in version, so each covers
    what the one before did not.
    """
    start = datetime.combine(since, time(), UTC)
    end = datetime.combine(until + timedelta(days=1), time(), UTC)
    mine = Acknowledgement.objects.filter(list=OuterRef("list"), organisation=OuterRef("organisation"))
    # No later version came before: said so that the index of versions is entered beside the row and not at its end.
    before = mine.filter(version__lte=OuterRef("version"), received_at__lt=OuterRef("received_at"))
    earlier = before.order_by("-version").values("version")[:1]
    published = F("list__releases__published_at")
    moment = OuterRef("list__releases__published_at")
    entitled = Subscription.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=moment),
        Q(closed_at=None) | Q(closed_at__gt=moment),
        list=OuterRef("list"),
        organisation=OuterRef("organisation"),
        entitled_at__lte=moment,
    )
    rows = Acknowledgement.objects.filter(
        received_at__gte=start,
        received_at__lt=end,
        organisation__kind=Organisation.Kind.MEMBER,
        list__publisher__sandbox=False,
    )
    rows = rows.annotate(covered=Coalesce(Subquery(earlier), 0, output_field=IntegerField()))
    # In one call, since each has a join with the releases of its own.
    return rows.filter(
        Exists(entitled),
        list__releases__state=Release.State.PUBLISHED,
        list__releases__version__gt=F("covered"),
        list__releases__version__lte=F("version"),
    ).annotate(
        lag=ExpressionWrapper(F("received_at") - published, output_field=DurationField()),
        is_private=is_private("organisation__"),
        taken_back=F("list__releases__withdrawals"),
    )

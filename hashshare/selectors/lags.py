"""How long it took from the publication of a version until a member stated that it had applied it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from hashshare.models import Acknowledgement, Organisation, Release, Subscription
from hashshare.selectors.organisations import is_private


class Percentile(Aggregate):
    """PostgreSQL's percentile_cont (between two values their mean) or percentile_disc (one of the values)."""

    output_field = DurationField()

    def __init__(self, expression: object, share: float, *, function: str, filter: Q | None = None) -> None:  # noqa: A002
        self.template = f"{function}({share}) WITHIN GROUP (ORDER BY %(expressions)s)"
        super().__init__(expression, filter=filter)


class Lag(NamedTuple):
    """Over pairs of a version and a member. `part`: such as NL; `p90`: what nine of ten do not exceed, by nearest rank;
    `organisations`: how many members, of which `private` have not agreed to be named.
    """

    part: str
    median: timedelta
    p90: timedelta
    organisations: int
    private: int


AXES = {
    "country": "organisation__country",
    "sector": "organisation__sector",
    "hotline": "list__publisher__domain",
}


def lags(*, since: date, until: date, axis: str = "", withdrawals: bool = False) -> list[Lag]:
    """Of what was stated from `since` to `until` (UTC days, both included), in one query. `axis`: country or sector of
    the member, or hotline; "" for the coalition. `withdrawals`: only of versions that took entries back.
    """
    pairs = applied_pairs(since, until, fewest_withdrawals=1 if withdrawals else 0)
    found = (
        pairs.order_by()
        .values(part=F(AXES[axis]) if axis else Value(""))
        .annotate(
            median=Percentile("lag", 0.5, function="percentile_cont"),
            p90=Percentile("lag", 0.9, function="percentile_disc"),
            organisations=Count("organisation", distinct=True),
            private=Count("organisation", distinct=True, filter=Q(is_private=True)),
        )
    )
    # Without an axis there is one row, also where there are no pairs.
    rows = [row for row in found if row["organisations"]]
    return [Lag(row["part"], row["median"], row["p90"], row["organisations"], row["private"]) for row in rows]


def applied_pairs(since: date, until: date, *, fewest_withdrawals: int) -> QuerySet[Acknowledgement]:
    """A row for each version and member, where the statement that covered it first came in these days, annotated with
    `lag` and `is_private`. Statements never go back in version, so each covers what the one before did not.
    """
    start = datetime.combine(since, time(), UTC)
    end = datetime.combine(until + timedelta(days=1), time(), UTC)
    mine = Acknowledgement.objects.filter(list=OuterRef("list"), organisation=OuterRef("organisation"))
    earlier = mine.filter(received_at__lt=OuterRef("received_at")).order_by("-version").values("version")[:1]
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
        list__releases__withdrawals__gte=fewest_withdrawals,
        list__releases__state=Release.State.PUBLISHED,
        list__releases__version__gt=F("covered"),
        list__releases__version__lte=F("version"),
    ).annotate(
        lag=ExpressionWrapper(F("received_at") - published, output_field=DurationField()),
        is_private=is_private("organisation__"),
    )

"""What happened within a day: releases and what was in them, entries that lapsed, deliveries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db.models import Count, F, Q, Sum

from hashshare.models import Delivery, ListCount, Release
from hashshare.selectors.organisations import is_private
from hashshare.services.statistics.rows import WHOLE, Rows, country, hotline, sector

HAPPENINGS: Final = ("releases", "upserts", "withdrawals", "expired", "deliveries", "delivered_bytes")


def happenings(day: date) -> Rows:
    rows = Rows()
    rows.begin(HAPPENINGS)
    count_releases(rows, day)
    count_lapsed(rows, day)
    count_deliveries(rows, day)
    return rows


def count_releases(rows: Rows, day: date) -> None:
    found = Release.objects.filter(
        within("published_at", day), state=Release.State.PUBLISHED, list__publisher__sandbox=False
    ).order_by()
    of = ("list__publisher__domain", "list__publisher__organisation__country")
    sums = found.values_list(*of).annotate(Count("pk"), Sum("upserts"), Sum("withdrawals"))
    for domain, code, releases, upserts, withdrawals in sums:
        scopes = [WHOLE, country(code), hotline(domain)]
        rows.add("releases", scopes, releases)
        rows.add("upserts", scopes, upserts)
        rows.add("withdrawals", scopes, withdrawals)
    for domain, code, reasons in found.filter(withdrawals__gt=0).values_list(*of, "withdrawal_reasons"):
        for reason, number in reasons.items():
            scopes = [WHOLE, country(code), hotline(domain)]
            rows.add("withdrawals", scopes, int(number), part=f"reason:{reason}")


def count_lapsed(rows: Rows, day: date) -> None:
    """As the lists were last counted; a list that was never counted has none."""
    for it in ListCount.objects.select_related("list__publisher__organisation"):
        publisher, number = it.list.publisher, int(it.lapsed.get(day.isoformat(), 0))
        if number:
            rows.add("expired", [WHOLE, country(publisher.organisation.country), hotline(publisher.domain)], number)


def count_deliveries(rows: Rows, day: date) -> None:
    # A hotline's own tool reads its list back after each release: that delivers nothing to anybody.
    found = Delivery.objects.filter(within("at", day), list__publisher__sandbox=False).exclude(
        organisation=F("list__publisher__organisation")
    )
    sums = found.order_by().values_list(
        "organisation__country", "organisation__sector", "list__publisher__domain", is_private("organisation__")
    )
    for code, name, domain, private, number, size in sums.annotate(Count("pk"), Sum("bytes")):
        scopes = [WHOLE, country(code), sector(name), hotline(domain)]
        rows.add("deliveries", scopes, number, private=private)
        rows.add("delivered_bytes", [WHOLE], size, private=private)


def within(column: str, day: date) -> Q:
    """That a timestamp column lies inside the UTC day."""
    start = datetime.combine(day, time(), UTC)
    return Q(**{f"{column}__gte": start, f"{column}__lt": start + timedelta(days=1)})

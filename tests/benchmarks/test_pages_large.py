"""How the pages of a large hub are asked for: each address often enough, and each page over the whole time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from benchmarks.pages_large import Address, Page, by_page, figures_of, p95, spread


def address(name: str, *took: float, role: str = "operator") -> Address:
    return Address(role, name, f"/{name}", 200, 7, list(took))


def test_it_asks_each_address_so_often_and_each_page_at_least_so_often() -> None:
    asked = [address("delivery"), address("delivery ?p"), address("expiring"), address("expiring", role="analyst")]
    often = Counter((each.role, each.name) for each in spread(asked, times=3, fewest=5))
    assert often == {
        ("operator", "delivery"): 3,
        ("operator", "delivery ?p"): 3,
        ("operator", "expiring"): 5,
        ("analyst", "expiring"): 5,
    }


def test_it_spreads_each_page_over_the_whole_time() -> None:
    asked = [address("expiring"), *(address(f"delivery ?{n}") for n in range(20))]
    order = [each.name for each in spread(asked, times=5, fewest=5)]
    places = [place for place, name in enumerate(order) if name == "expiring"]
    gaps = [after - before for before, after in pairwise(places)]
    assert max(gaps) <= 22, "a fifth of all 105 requests, and the page itself"


def test_a_page_is_as_slow_as_95_of_100_of_its_requests_whatever_was_asked_of_it() -> None:
    asked = [address("delivery", *[1.0] * 18), address("delivery ?p", 40.0, 50.0)]
    (page,) = (Page(name, tuple(its)) for (_, name), its in by_page(asked).items())
    assert page.p95 == 40.0
    assert p95([1.0]) == 1.0


def test_a_slow_address_is_told_though_its_page_is_fast() -> None:
    base = address("overview", *[10.0] * 20)
    asked = [address("delivery", *[10.0] * 99), address("delivery ?p", 100.0)]
    told = {figure.figure: figure for figure in figures_of("operator", asked, base)}
    assert told["p95 of the page delivery, operator"].met is True
    slowest = told["median of the slowest address, operator"]
    assert (slowest.ratio, slowest.met, slowest.note) == (10.0, False, "delivery ?p; 7 queries")

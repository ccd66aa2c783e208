"""The time that an answer tells, and when it tells none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests
import time_machine

from hashshare.client.answers import skew_of


@pytest.mark.parametrize(
    ("headers", "skew"),
    [
        ({"Date": "Sat, 28 Nov 2026 12:00:00 GMT"}, 90),
        ({"Date": "Sat, 28 Nov 2026 12:03:00 GMT"}, -90),
        ({"Date": "Sat, 28 Nov 2026 10:00:00 GMT", "Age": "7200"}, 7),
        ({"Date": "yesterday"}, 7),
        ({}, 7),
    ],
)
def test_it_compares_our_clock_with_the_hub_s(headers: dict[str, str], skew: int) -> None:
    response = requests.Response()
    response.headers.update(headers)
    with time_machine.travel(datetime(2026, 11, 28, 12, 1, 30, tzinfo=UTC), tick=False):
        assert skew_of(response, default=7) == skew

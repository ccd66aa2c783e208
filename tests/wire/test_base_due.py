"""When the publisher's tool renews a base."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hashshare.wire.chain import RENEW_AFTER, base_due
from hashshare.wire.manifest import Manifest
from tests.wire.aurora import LIST_ID, PUBLISHED, base_of, manifest_of, segment_of

OLD = PUBLISHED + RENEW_AFTER + timedelta(seconds=1)


def standing(*past: tuple[int, int], entries: int = 100, earlier: tuple[int, int] = (0, 0)) -> Manifest:
    """A base of `entries` at version 2; deltas of (upserts, withdrawals) past it, and one up to it."""
    counts = enumerate((earlier, *past), start=1)
    segments = [segment_of(LIST_ID, n, n + 1, upserts=up, withdrawals=gone) for n, (up, gone) in counts]
    base = replace(base_of(LIST_ID, version=2)[1], entries=entries)
    return manifest_of(*segments, base=base, entries=entries)


@pytest.mark.parametrize(
    ("manifest", "now", "due"),
    [
        pytest.param(manifest_of(), OLD, None, id="a list's first base"),
        pytest.param(standing(), OLD, None, id="nothing past the base"),
        pytest.param(standing(entries=0), OLD, None, id="an empty base and nothing past it"),
        pytest.param(standing((0, 0), entries=0), OLD, None, id="an empty base and an empty release"),
        pytest.param(standing((1, 0), entries=0), PUBLISHED, "share", id="an empty base and an operation"),
        pytest.param(standing((20, 0)), OLD, None, id="exactly a fifth"),
        pytest.param(standing((21, 0)), PUBLISHED, "share", id="more than a fifth"),
        pytest.param(standing((10, 0), (9, 2)), PUBLISHED, "share", id="more than a fifth in several"),
        pytest.param(standing((1, 0), earlier=(90, 9)), OLD, None, id="much before the base"),
        pytest.param(standing((0, 1)), PUBLISHED + RENEW_AFTER, None, id="a withdrawal, five days"),
        pytest.param(standing((0, 1)), OLD, "withdrawals", id="a withdrawal, longer than five days"),
        pytest.param(standing((0, 1), (5, 0)), OLD, "withdrawals", id="a withdrawal, then more"),
        pytest.param(standing((0, 21)), OLD, "share", id="both"),
    ],
)
def test_a_base_is_due(manifest: Manifest, now: datetime, due: str | None) -> None:
    assert base_due(manifest, now=now) == due


def test_a_base_renewed_daily_never_waits_seven_days() -> None:
    """A release a day, renewal looked at after each: the withdrawal of the first is gone within seven days."""
    manifest = standing((0, 1))
    asked = [PUBLISHED + timedelta(days=n) for n in range(1, 8)]
    first = next(now for now in asked if base_due(manifest, now=now))
    assert first + timedelta(days=1) - PUBLISHED <= timedelta(days=7)

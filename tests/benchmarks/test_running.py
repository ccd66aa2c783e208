"""A scenario that fails is said so in the results and in the exit status, and the others still run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import __main__ as harness
from benchmarks.bed import Bed
from benchmarks.listing import Once
from benchmarks.results import Figure, Figures, Record

make = Figures("first")


def breaking(_: Bed) -> Iterator[Figure]:
    yield make.plain("before it broke", 1.0, "s")
    raise OSError("no space left")


def working(_: Bed) -> Iterator[Figure]:
    yield make.plain("afterwards", 2.0, "s")


def test_a_failure_is_loud_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "SCENARIOS", {"first": breaking, "second": working})
    written: list[Record] = []
    monkeypatch.setattr(harness, "write", written.extend)
    assert harness.main([]) == 1
    assert [(record.scenario, record.error, len(record.figures)) for record in written] == [
        ("first", "OSError: no space left", 1),
        ("second", "", 1),
    ]
    captured = capsys.readouterr()
    assert "afterwards" in captured.out
    assert "THE SCENARIO first FAILED: OSError: no space left" in captured.err


def test_some_scenarios_alone_write_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SCENARIOS", {"first": breaking, "second": working})
    monkeypatch.setattr(harness, "write", lambda _: pytest.fail("results were written"))
    assert harness.main(["second"]) == 0
    assert harness.main(["second", "--quick"]) == 0


def test_what_failed_once_fails_at_once_the_next_time() -> None:
    tried = []

    def prepare() -> int:
        tried.append(1)
        raise OSError("no space left")

    once = Once()
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            once("large list", prepare)
    assert len(tried) == 1
    assert once("small list", lambda: 7) == once("small list", lambda: 8) == 7

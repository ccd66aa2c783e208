"""What a hub was asked for, from the log of its web server."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import access

LINES = ["GET /api/v1/heads 304 -", "GET /api/v1/tuf/a.example/targets/1f/2b.delta-1-2.parquet 200 104000"]


def test_bodies_are_summed_and_objects_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("GET /healthz 200 2\n")
    with access.watching(log) as seen, log.open("a") as more:
        more.write("\n".join(LINES) + "\n")
    assert [request.status for request in seen.requests] == [304, 200]
    assert seen.bytes == 104_000
    assert [request.bytes for request in seen.objects] == [104_000]


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    with access.watching(tmp_path / "log") as seen:
        (tmp_path / "log").write_text(LINES[0] + "\n")
    assert len(seen.requests) == 1


def test_a_line_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        access.parse(["127.0.0.1 - - GET"])

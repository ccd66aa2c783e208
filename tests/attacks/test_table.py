"""docs/security.md and the tests say the same: no attack without a test, and no such test that the page leaves out."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "security.md"
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NAMED: Final = (
    "arbitrary content", "wrong content", "extraneous content", "mix-and-match", "rollback", "fast-forward",
    "indefinite freeze", "endless data", "slow retrieval", "malicious mirror",
    "key compromise: timestamp and snapshot (the hub)", "key compromise: feed", "key compromise: targets",
    "key compromise: root", "key compromise: one officer of three", "stolen feed key that empties a list",
    "hub restored from an old backup",
    "hostile hub at first contact", "hostile hub later", "hostile member", "replayed request", "stolen access key",
    "bomb-like Parquet", "oversized CSV", "bomb-like JSON", "path traversal in names", "server-side request forgery",
)  # fmt: skip

PURE: Final = "mutated and random bytes"
"""What no process is needed for: the code that verifies is called itself, thousands of times."""


THROUGH_PAGES: Final = "## Attacks through the pages"
"""The section of those that are a browser's requests: sent to the hub's views, which is what a browser meets."""


def rows(section: str = "") -> dict[str, list[tuple[str, str]]]:
    """Each attack of the tables with a column of tests, and those; of one section, or of all."""
    found: dict[str, list[tuple[str, str]]] = {}
    inside = False
    text = PAGE.read_text()
    if section:
        text = text.partition(f"{section}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and line.startswith("|"):
            inside = inside or cells == ["attack", "what stops it", "tests"]
            if inside and cells[0] != "attack" and not cells[0].startswith("---"):
                found[cells[0]] = TEST.findall(cells[2])
        else:
            inside = False
    return found


def attacks_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {it.name for it in tree.body if isinstance(it, ast.FunctionDef) and it.name.startswith("test_")}


def test_it_has_every_attack_that_was_promised() -> None:
    assert set(NAMED) <= set(rows())


@pytest.mark.parametrize("attack", rows())
def test_each_attack_has_tests_that_are_there(attack: str) -> None:
    named = rows()[attack]
    assert named
    for path, test in named:
        assert test in attacks_in(ROOT / path), f"{path}::{test}"


@pytest.mark.parametrize("attack", sorted(rows().keys() - rows(THROUGH_PAGES).keys() - {PURE}))
def test_each_attack_is_tried_against_real_processes(attack: str) -> None:
    assert [path for path, _ in rows()[attack] if path.startswith(("tests/attacks/", "tests/system/"))]


def test_each_test_of_an_attack_is_on_the_page() -> None:
    named = {name for tests in rows().values() for name in tests}
    here = {
        (str(path.relative_to(ROOT)), test)
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name != "test_table.py"
        for test in attacks_in(path)
    }
    assert here <= named

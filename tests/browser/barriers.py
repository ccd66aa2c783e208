"""What axe-core, the accessibility checker of others, finds on the page that is shown. Its file is put in by the
browser's debugging door, which the content security policy does not concern: the policy stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

AXE: Final = Path(__file__).resolve().parents[2] / "build" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE: Final = frozenset({"serious", "critical"})
RUN: Final = """rules => axe.run(document, {
    resultTypes: ["violations"], preload: false,
    ...(rules.length ? {runOnly: {type: "rule", values: rules}}
                     : {runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                                                        "best-practice"]}}),
}).then(found => found.violations.map(v => ({
    rule: v.id, impact: v.impact, help: v.help,
    where: v.nodes.slice(0, 4).map(n => n.target.join(" ") + "  " + n.html.slice(0, 160)),
})))"""


def barriers(page: Page, *, rules: Iterable[str] = ()) -> list[str]:
    """Serious and critical ones, each in a few lines; all rules of WCAG 2.2 AA unless `rules` names some."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(RUN, list(rules))
    return [_told(each) for each in found if each["impact"] in GRAVE]


def _told(violation: dict[str, Any]) -> str:
    return "\n    ".join([f"{violation['impact']}: {violation['rule']}: {violation['help']}", *violation["where"]])

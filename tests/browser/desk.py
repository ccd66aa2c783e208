"""One person at one browser window, and everything that the browser complains about meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from tests.browser.barriers import barriers
from tests.browser.cast import CAST, Somebody
from tests.browser.signing_in import sign_in

DESKTOP: Final = (1280, 900)
TELEPHONE: Final = (390, 844)
Scheme = Literal["light", "dark"]

WATCH_POLICY: Final = """
document.addEventListener("securitypolicyviolation", event => console.error(
    `policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
BROKEN: Final = 400
PATIENCE: Final = 15_000
"""Milliseconds until something that should be there counts as missing."""


@dataclass
class Desk:
    """`url` is the hub's, without a trailing slash; `complaints` what the browser said so far.

    Without slots, since Playwright notes on an object which of its methods it calls.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def open(self, address: str) -> None:
        """An address that starts at the hub's root."""
        self.page.goto(self.url + address)

    def shows(self, text: str) -> None:
        """Waits until the text is to be seen."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def expect(self, status: int) -> None:
        """From now on an answer with this status is no complaint."""
        self.expected.add(status)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def press_twice(self, button: str) -> None:
        """A double click: the form is sent twice, and what answers the second is what one sees."""
        self.page.get_by_role("button", name=button, exact=True).dblclick()
        self.page.wait_for_load_state("networkidle")

    def shown_once(self) -> str:
        """The secret on the page, which is gone from it when it is opened again."""
        secret = self.page.locator(".shown-once code")
        expect(secret).to_be_visible()
        self.barrier_free()
        return secret.inner_text()

    def tab(self) -> Desk:
        """Another tab of the same window; what it complains about counts here."""
        other = Desk(self.page.context.new_page(), self.url, self.complaints, self.expected)
        other.watch()
        return other

    def size(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def scheme(self, scheme: Scheme) -> None:
        self.page.emulate_media(color_scheme=scheme)

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def barrier_free(self) -> None:
        """What is shown now has no serious barrier, light or dark."""
        found = barriers(self.page)
        self.scheme("dark")
        found += [f"dark: {each}" for each in barriers(self.page, rules=["color-contrast"])]
        self.scheme("light")
        assert not found, f"{self.page.url}\n" + "\n".join(found)

    def watch(self) -> None:
        self.page.add_init_script(WATCH_POLICY)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._complain(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def no_complaints(self) -> None:
        assert not self.complaints, "\n".join(self.complaints)

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self.page.url}: {text}")

    def _console(self, message: ConsoleMessage) -> None:
        """An answer of 400 or more is written there too, and is counted by `_answered`."""
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self._complain(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        """A navigation that becomes a download, and one that another overtakes, are aborted by the browser itself."""
        if "ERR_ABORTED" not in (request.failure or ""):
            self._complain(f"failed: {request.url} {request.failure}")

    def _answered(self, answer: Response) -> None:
        if answer.status >= BROKEN and answer.status not in self.expected:
            self._complain(f"answered {answer.status}: {answer.url}")


@dataclass(frozen=True, slots=True)
class Desks:
    """Opens windows of one browser at one hub; `cookies` are those of who has signed in there, by e-mail address."""

    browser: Browser
    url: str
    cookies: dict[str, Any]

    @contextmanager
    def of(self, who: str | Somebody, **options: Any) -> Iterator[Desk]:
        """Somebody, or who has this role in the cast, signed in; at the end nothing may have been complained about."""
        person = CAST[who] if isinstance(who, str) else who
        if person.email not in self.cookies:
            with self.nobody() as door:
                sign_in(door.page, url=self.url, who=person)
                self.cookies[person.email] = door.page.context.storage_state()
        with self.nobody(storage_state=self.cookies[person.email], **options) as desk:
            yield desk

    @contextmanager
    def nobody(self, **options: Any) -> Iterator[Desk]:
        """A window in which nobody has signed in; `options` are those of a Playwright context."""
        size = {"width": DESKTOP[0], "height": DESKTOP[1]}
        asked = {"viewport": size, "color_scheme": "light", "reduced_motion": "reduce", **options}
        context = self.browser.new_context(**asked)
        try:
            context.set_default_timeout(PATIENCE)
            desk = Desk(context.new_page(), self.url)
            desk.watch()
            yield desk
            desk.no_complaints()
        finally:
            context.close()

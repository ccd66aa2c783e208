"""Who may call what: each endpoint declares it per method in `who`, and this is where the declaration is enforced.

Only the kind of organisation and the door count here. Whether a publisher, list or job is the caller's own is decided
by the services and selectors, which answer NotEntitled alike for what is missing and for what is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from hashshare.selectors.callers import Caller
from hashshare.wire.errors import MethodNotAllowed, NotAllowed, NotAuthenticated

if TYPE_CHECKING:
    from rest_framework.views import APIView

EVERY_DOOR: Final = frozenset({"signature", "token", "access_key"})
SIGNED: Final = frozenset({"signature"})
EVERY_KIND: Final = frozenset({"hotline", "member", "partner", "hub"})


@dataclass(frozen=True, slots=True)
class Who:
    """The callers of one method. `doors` empty means anybody, with no credentials at all."""

    words: str
    doors: frozenset[str]
    kinds: frozenset[str] = EVERY_KIND

    @property
    def public(self) -> bool:
        return not self.doors


ANYBODY: Final = Who("Anybody, without credentials.", frozenset())
READERS: Final = Who("Any enrolled organisation, by any door. It sees what it is entitled to.", EVERY_DOOR)
SIGNERS: Final = Who("Any enrolled organisation, by a signed request.", SIGNED)
HOTLINES: Final = Who("Hotlines, by any door. Each sees its own.", EVERY_DOOR, frozenset({"hotline"}))
SIGNING_HOTLINES: Final = Who(
    "Hotlines, by a signed request, each for its own publishers.", SIGNED, frozenset({"hotline"})
)
HOTLINES_KEYS: Final = Who(
    "Hotlines, by a signed request or the token of one. Each sees its own.",
    frozenset({"signature", "token"}),
    frozenset({"hotline"}),
)
SUBSCRIBERS: Final = Who(
    "Members, hotlines and hubs, by a signed request.", SIGNED, frozenset({"member", "hotline", "hub"})
)


class DeclaredCallers(BasePermission):
    """Holds the caller against the endpoint's `who`. A method that declares nobody is one that does not exist."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        declared: dict[str, Who] = getattr(view, "who", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        who = declared.get(method)
        if who is None:
            raise MethodNotAllowed(f"{request.method} is not answered here, only {', '.join(sorted(declared))}.")
        if who.public:
            return True
        caller = request.user
        if not isinstance(caller, Caller):
            raise NotAuthenticated
        if caller.via not in who.doors:
            raise NotAllowed("Changes need a request signed with your organisation's key.")
        if caller.organisation.kind not in who.kinds:
            *others, last = sorted(f"{kind}s" for kind in who.kinds)
            words = f"{', '.join(others)} and {last}" if others else last
            raise NotAllowed(f"This is for {words}; your organisation is a {caller.organisation.kind}.")
        return True

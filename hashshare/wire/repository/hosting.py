"""`hosted`: what a publisher's targets say of a list whose feed key the hub keeps and signs with.

It is a field of the list's delegation, true or absent (TUF specification 1.0.34, section 4.1: what a reader does not
know is kept and ignored), so that the hotline's own targets key signs it and every member can read it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from tuf.api.metadata import DelegatedRole, Targets

from hashshare.wire.repository.metadata import MAJOR, TARGETS, read_typed

HOSTED: Final = "hosted"


def hosted_lists(targets: bytes) -> frozenset[str]:
    """The ids of the lists whose feed keys a hub keeps. Raises MalformedMetadata."""
    delegations = read_typed(TARGETS, targets, Targets).signed.delegations
    roles = (delegations.roles or {}) if delegations else {}
    return frozenset(name for name, role in roles.items() if name != MAJOR and is_hosted(role))


def is_hosted(role: DelegatedRole) -> bool:
    return role.unrecognized_fields.get(HOSTED) is True


def hosting_fields(list_id: str, hosted: Collection[str]) -> dict[str, Any]:
    """What the delegation of a list says besides."""
    return {HOSTED: True} if list_id in hosted else {}

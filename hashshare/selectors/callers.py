"""The acting party of a request: which organisation, through which door, with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hashshare.models import Organisation, Person
from hashshare.wire import errors

Via = Literal["signature", "token", "access_key", "session"]


@dataclass(frozen=True, slots=True)
class Caller:
    """`key_id`: a key's fingerprint, an access key's prefix or a person's e-mail. Tokens and access keys only read."""

    organisation: Organisation
    via: Via
    key_id: str

    def require_write(self) -> None:
        """Raises NotAllowed at the read-only doors."""
        if self.via not in ("signature", "session"):
            raise errors.NotAllowed("Only a signed request may change anything.")


def caller_of_person(person: Person) -> Caller:
    """A signed-in person acting for the own organisation. Raises NotAllowed for operators, who have none."""
    if person.organisation is None or not person.is_active:
        raise errors.NotAllowed
    return Caller(person.organisation, "session", person.email)

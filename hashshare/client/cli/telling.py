"""What a sync says of the hubs where a home has several: which is silent, and through which a list came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hashshare.client.cli.list_failures import ListFailures
from hashshare.client.cli.output import Output, error_document
from hashshare.client.failover import PASSING, AskedHub, Refused
from hashshare.client.polling import Head
from hashshare.wire.errors import HashshareError


class Telling:
    """In a home of one hub it says nothing and adds nothing."""

    def __init__(self, out: Output, hubs: list[AskedHub], failures: ListFailures) -> None:
        self._out, self._hubs, self._failures = out, hubs, failures

    @property
    def several(self) -> bool:
        return len(self._hubs) > 1

    @property
    def may_have_it(self) -> HashshareError | None:
        """Why a hub gave no answer, which may offer what the others do not."""
        return next((hub.error for hub in self._hubs if hub.error is not None), None)

    def silent(self) -> None:
        """Once for each hub that gave nothing. That it does not let us in is a failure, whoever brings the lists."""
        for hub in self._hubs:
            if hub.error is None or not self.several:
                continue
            answering = " and ".join(other.name for other in self._hubs if other.error is None)
            self._out.warn(f"{hub.name} gives nothing ({hub.error.message.rstrip('.')}); asked {answering} instead.")
            if not isinstance(hub.error, PASSING):
                self._failures.codes.append(hub.error.exit_code)

    def refused(self, head: Head, by: AskedHub, others: Iterable[Refused]) -> None:
        """Hubs that offer the list and did not bring it."""
        for one in others:
            message = one.error.message if isinstance(one.error, HashshareError) else str(one.error)
            self._out.warn(f"{head.name}: brought by {by.name}, not by {one.hub.name}: {message}")

    def by(self, hub: AskedHub) -> dict[str, str]:
        """For a list's row."""
        return {"hub": hub.name} if self.several else {}

    def to_json(self) -> dict[str, Any]:
        rows = [
            {
                "name": hub.name,
                "url": hub.account.config.hub_url,
                "answers": hub.error is None,
                "error": error_document(hub.error) if hub.error else None,
            }
            for hub in self._hubs
        ]
        return {"hubs": rows} if self.several else {}

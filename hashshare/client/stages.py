"""How long each stage of a command took; `--json` prints it and the benchmarks read it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stages:
    """Wall seconds by stage name, in the order begun; a stage entered twice is summed. `announce` hears each begin."""

    announce: Callable[[str], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.announce is not None:
            self.announce(name)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def to_json(self) -> dict[str, float]:
        """Seconds rounded to the millisecond."""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}

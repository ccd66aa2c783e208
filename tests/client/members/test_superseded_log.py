"""A member meets a log that supersedes the one it remembers: told once, both kept, nothing forgiven without a note."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.home import Config, Home
from hashshare.client.logs import DeliveryLog
from hashshare.client.successions import crossings, known_origins, mark_told, untold
from hashshare.wire import keys
from hashshare.wire.errors import LogForked, LogKeyChanged, VerificationFailed, WrongProof
from hashshare.wire.log import Checkpoint, sign_checkpoint
from hashshare.wire.log.successions import Succession, next_origin, sign_succession
from tests.wire.log.naive import mth, proof, sample

DOMAIN = "aurora.example"
FIRST = f"north.example/log/{DOMAIN}"
KEY = keys.generate()


@dataclass
class North:
    """As much of the hub as a log needs: its leaves, its name, and what it says of those before."""

    leaves: list[bytes]
    origin: str = FIRST
    statements: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        return sign_checkpoint(Checkpoint(self.origin, len(self.leaves), mth(self.leaves)), key=KEY)

    def lose(self, left: int, *, later: int = 0) -> None:
        """Restored with so many leaves, under the next name; so many others came since."""
        held = self.leaves[:left]
        said = Succession(self.origin, left, mth(held), next_origin(self.origin), datetime.now(UTC))
        self.statements.append(sign_succession(said, key=KEY))
        self.origin = said.successor
        self.leaves = held + [b"later %d" % number for number in range(later)]

    def get(self, path: str, *, params: dict[str, str] | None = None) -> Any:
        if path.endswith("successions"):
            return Answer({"successions": self.statements})
        old = int((params or {})["old"])
        hashes = proof(old, self.leaves[: int((params or {})["new"])]) if 0 < old < len(self.leaves) else []
        return Answer({"consistency": [base64.b64encode(one).decode() for one in hashes]})


@dataclass
class Answer:
    document: Any

    @property
    def content(self) -> bytes:
        return json.dumps(self.document).encode()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    hub = {"log_key": base64.b64encode(keys.public_bytes(KEY)).decode()}
    made.save_config(Config("https://north.example", hub, {"slug": "cobalt"}, "SHA256:x"))
    return made


def remembering(home: Home, north: North) -> DeliveryLog:
    log = DeliveryLog(home, DOMAIN, session=north)  # type: ignore[arg-type]
    log.extend(north.note)
    return log


def test_it_wants_growth_proved_across_the_names(home: Home) -> None:
    north = North(sample(5))
    log = remembering(home, north)
    north.leaves = sample(9)
    north.lose(7, later=4)
    log.extend(north.note)
    assert (log.seen is not None, log.size) == (True, 11)
    [(domain, row)] = untold(home)
    assert (domain, row["size"], row["kept"], row["lost"]) == (DOMAIN, 5, 5, 0)
    north.leaves.append(b"one more")
    log.extend(north.note)
    assert len(crossings(home, DOMAIN)) == 1


def test_it_keeps_both_and_tells_once_when_leaves_are_lost(home: Home) -> None:
    north = North(sample(9))
    log = remembering(home, north)
    before = log.seen
    north.lose(6, later=20)
    log.extend(north.note)
    [(_, row)] = untold(home)
    assert before is not None
    assert (row["lost"], row["checkpoint"], row["statements"]) == (3, before.checkpoint, north.statements)
    mark_told(home)
    assert untold(home) == []
    assert known_origins(home, DOMAIN) == {FIRST: 6}
    assert log.verifier(before.checkpoint).name == FIRST  # receipts of then stay good
    north.lose(2, later=1)
    log.extend(north.note)
    assert known_origins(home, DOMAIN) == {FIRST: 2, f"{FIRST}/2": 2}


def test_without_a_note_the_new_name_is_refused(home: Home) -> None:
    north = North(sample(9))
    log = remembering(home, north)
    north.lose(6)
    north.statements.clear()
    with pytest.raises(WrongProof, match="does not say what became"):
        log.extend(north.note)
    assert log.seen is not None
    assert (log.seen.origin, log.size, log.seen.refused is not None) == (FIRST, 9, True)
    assert untold(home) == []


def test_a_rewritten_log_is_a_fork_under_whatever_name(home: Home) -> None:
    north = North(sample(5))
    log = remembering(home, north)
    north.leaves = sample(9)
    north.lose(7)
    north.leaves = [b"rewritten", *north.leaves[1:]]
    with pytest.raises(LogForked):
        log.extend(north.note)
    assert log.size == 5


def test_another_key_supersedes_nothing(home: Home) -> None:
    north = North(sample(5))
    log = remembering(home, north)
    north.lose(5)
    forged = sign_checkpoint(Checkpoint(north.origin, 5, mth(sample(5))), key=keys.generate())
    with pytest.raises(LogKeyChanged):
        log.extend(forged)
    assert log.size == 5


def test_the_old_name_does_not_come_back(home: Home) -> None:
    north = North(sample(9))
    log = remembering(home, north)
    old = north.note
    north.lose(6)
    log.extend(north.note)
    with pytest.raises(VerificationFailed, match="does not bear"):
        log.extend(old)
    assert log.seen is not None
    assert log.seen.origin == f"{FIRST}/2"

"""Other hubs for the tests: processes that answer as one, and hotline Aurora at hub North, which this hub follows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

from federation.models import Peer
from hashshare.wire.documents import write_object
from tests.client.members.aurora import Aurora
from tests.federation.builders import Hub, accepted, hub
from tests.federation.builders_witness import PublicHub, serving
from tests.federation.mirrored import Following, following


class Answering:
    """A process that answers at `url`; what it says may be changed while it runs."""

    def __init__(self, how: str, file: Path, said: bytes) -> None:
        self._file = file
        self.say(said)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.federation.another_hub", how, str(file)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, said: bytes) -> None:
        self._file.write_bytes(said)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Callable[..., Answering]]:
    """Starts such processes: `answering("slow")`, or `answering("descriptor", hub)` for one that tells of itself."""
    with ExitStack() as stack:

        def start(how: str = "descriptor", said: bytes | Hub = b"") -> Answering:
            file = tmp_path / f"said-{len(list(tmp_path.iterdir()))}"
            made = Answering(how, file, said if isinstance(said, bytes) else write_object(at_port(said).document()))
            stack.callback(made.close)
            return made

        yield start


def at_port(made: Hub) -> Hub:
    """At the address that its process will have."""
    made.name, made.url = "127.0.0.1:@PORT@", "http://127.0.0.1:@PORT@"
    return made


def there(made: Hub, process: Answering) -> Hub:
    """With the address that its process has."""
    made.name, made.url = f"127.0.0.1:{process.port}", process.url
    return made


@pytest.fixture
def north_answers(answering: Callable[..., Answering]) -> tuple[Hub, Answering]:
    """Hub North in a process, not introduced."""
    made = hub()
    process = answering("descriptor", made)
    return there(made, process), process


@pytest.fixture
def peers(db: None) -> Callable[[], list[str]]:
    return lambda: sorted(Peer.objects.values_list("name", flat=True))


@pytest.fixture
def aurora(tmp_path: Path) -> Aurora:
    return Aurora(tmp_path / "aurora")


@pytest.fixture
def north(db: None, aurora: Aurora) -> Iterator[Following]:
    with following(aurora) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    caches["limits"].clear()
    yield


Showing = Callable[[str], PublicHub]


@pytest.fixture
def showing(db: None, settings: Any, tmp_path: Any) -> Iterator[Showing]:
    """Makes an accepted peer of that name which really answers, on loopback."""
    settings.HASHSHARE_DATA = str(tmp_path)
    with ExitStack() as stack:

        def make(name: str) -> PublicHub:
            made = PublicHub(hub(name))
            made.hub.url = stack.enter_context(serving(made))
            accepted(made.hub)
            return made

        yield make

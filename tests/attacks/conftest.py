"""One attacked coalition for all tests of a process; a fresh victim for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.between import Between, running
from tests.attacks.scene import Scene, Victim, build
from tests.system.hub import Hubs, free_port


@pytest.fixture(scope="session")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    port, hubs = free_port(), Hubs()
    try:
        hub = hubs.start(HASHSHARE_PUBLIC_URL=f"http://127.0.0.1:{port}")
        with running(Between(port, hub.port)) as between:
            yield build(hub, between, tmp_path_factory.mktemp("coalition"))
    finally:
        hubs.stop_all()


@pytest.fixture
def scene(coalition: Scene) -> Iterator[Scene]:
    """Nobody lies at first, and whatever lies a test told are forgotten after it."""
    coalition.between.honest()
    yield coalition
    coalition.between.honest()


@pytest.fixture
def cobalt(scene: Scene, tmp_path: Path) -> Victim:
    """Holds version 1 while version 2 is on offer."""
    return scene.cobalt(tmp_path)

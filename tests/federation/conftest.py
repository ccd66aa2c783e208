"""Hotline Aurora at hub North, which this hub follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.members.aurora import Aurora
from tests.federation.mirrored import Following, following


@pytest.fixture
def aurora(tmp_path: Path) -> Aurora:
    return Aurora(tmp_path / "aurora")


@pytest.fixture
def north(db: None, aurora: Aurora) -> Iterator[Following]:
    with following(aurora) as made:
        yield made

"""A real S3 server for the tests of this folder, and of others that import its fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.storage.s3 import RunningS3


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningS3]:
    server = RunningS3.start(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()

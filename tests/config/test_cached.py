"""A cache that others may write to can count, and cannot make the hub run anything."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCacheClient

from config.cached import Json
from config.environment import cache


class Ran:
    """Says so when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was run",)


def serializer() -> Any:
    made = cache("redis://127.0.0.1:6379/0", name="limits")
    client = RedisCacheClient([made["LOCATION"]], **made["OPTIONS"])
    return client._serializer  # type: ignore[attr-defined]  # the stubs leave it out


def test_it_keeps_whole_numbers_bare() -> None:
    assert serializer().dumps(7) == 7
    assert serializer().loads(b"7") == 7
    assert serializer().loads(str(serializer().dumps({"a": [True, None]})).encode()) == {"a": [True, None]}


def test_it_runs_no_pickle() -> None:
    assert isinstance(serializer(), Json)
    with pytest.raises(ValueError):
        serializer().loads(pickle.dumps(Ran()))

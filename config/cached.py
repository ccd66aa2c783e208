"""What a cache on Valkey or Redis keeps: JSON. Django's own form is pickle, which runs what it reads."""

from __future__ import annotations

import json
from typing import Any


class Json:
    """For RedisCache's option `serializer`. Whole numbers stay bare, so that the server can count with them."""

    def dumps(self, value: Any) -> int | str:
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        return json.loads(data)

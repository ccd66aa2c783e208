"""Filters of the pages that are no table of rows: links that keep what the other filters say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest


def asked_for(request: HttpRequest, name: str, known: Mapping[str, str]) -> str:
    """What the address says of a filter; empty for what there is not."""
    asked = request.GET.get(name, "")
    return asked if asked in known else ""


def choices(labels: Mapping[str, str], chosen: str, name: str, others: Mapping[str, str]) -> list[dict[str, Any]]:
    """A filter's links, each of which keeps what the other filters say."""
    return [
        {
            "label": label,
            "chosen": value == chosen,
            "address": "?" + urlencode({key: text for key, text in {**others, name: value}.items() if text}),
        }
        for value, label in labels.items()
    ]

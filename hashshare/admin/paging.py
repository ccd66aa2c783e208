"""Pages of large tables, without counting all of their rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.core import paginator

if TYPE_CHECKING:
    StockPaginator = paginator.Paginator[Any]
else:
    StockPaginator = paginator.Paginator

COUNTED: Final = 1_000
"""Rows that are counted and paged through; who looks for what comes after them narrows by a filter, a date or a word.

Counting a million takes longer than all else on a page, and so does coming to its two-hundredth page; nobody turns
twenty.
"""


class BoundedPaginator(StockPaginator):
    """`more`: there are more rows than `COUNTED`, of which `count` is the first."""

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._found, COUNTED)

    @property
    def more(self) -> bool:
        return self._found > COUNTED

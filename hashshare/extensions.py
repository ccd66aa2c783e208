"""What another Django application adds to the hub, without the hub knowing that one.

`settings.HASHSHARE_EXTENSIONS` names objects of this class, by dotted path. Each field is a place where the hub asks:
adding a place is adding a field here and one use of it. Nothing is registered by import.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.db.models import Q
    from django.http import HttpRequest

    from hashshare.admin.desks import Page
    from hashshare.admin.notices import Notice
    from hashshare.models import HashList, Leaf, Organisation, Release
    from hashshare.selectors.elsewhere import HubStanding
    from hashshare.timetable import Planned


@dataclass(frozen=True, slots=True)
class Extension:
    """`planned`: jobs of the timetable. `tasks`: kind of job -> the Celery task that does it.

    `pages` (called late, since they need the site) and `tables` (section -> names of model classes, with `about`) stand
    in the navigation, registered with the site by `tables_module`; `notices` stand on the overview.
    `may_cross`: of the lists that a peer hub is subscribed to, those that it may be served, as a condition on lists.
    `keeps_out`: why an organisation that was suspended is not reinstated from its own page, or nothing.
    `why_not`: the reason why an organisation may not be granted a list, "" if it may. `decided_at`: the hub at which
    requests for a list are decided on, "" if it is this one.
    `elsewhere`: of each release (by its id) how far other hubs are with it, and with `True` which of their members.
    `statements`: of leaves of delivery logs (by their ids), the document that one is about, with the raw key that
    signed it, where the hub itself has none.
    """

    planned: Sequence[Planned] = ()
    tasks: Mapping[str, str] = field(default_factory=dict)
    pages: Callable[[], Iterable[Page]] = tuple
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    tables_module: str = ""
    notices: Callable[[HttpRequest, datetime], Iterable[Notice]] = lambda _request, _now: ()
    may_cross: Callable[[Organisation, datetime], Q] | None = None
    keeps_out: Callable[[Organisation], str] = lambda _organisation: ""
    why_not: Callable[[HashList, Organisation, datetime], str] = lambda _list, _organisation, _now: ""
    decided_at: Callable[[HashList], str] = lambda _list: ""
    elsewhere: Callable[[Sequence[Release], datetime, bool], Mapping[uuid.UUID, Sequence[HubStanding]]] = (
        lambda _releases, _now, _members: {}
    )
    statements: Callable[[Sequence[Leaf]], Mapping[int, tuple[str, bytes]]] = lambda _leaves: {}


@lru_cache(maxsize=1)
def extensions() -> tuple[Extension, ...]:
    """Those that the settings name, in that order."""
    return tuple(import_string(path) for path in settings.HASHSHARE_EXTENSIONS)

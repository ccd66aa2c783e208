"""Where the federation joins the hub: every place at which the hub asks, answered from here."""

from __future__ import annotations

from typing import Final

from federation.timetable import TIMETABLE
from hashshare.extensions import Extension

EXTENSION: Final = Extension(planned=TIMETABLE)

"""What may cross from hub to hub, and on to whom: pure rules over the publisher's signed policy and the agreements.

Every hub on a list's path holds them itself: the one that gives and the one that takes.
"""

from __future__ import annotations

"""How a manifest may follow one that a restored hub still has, when those between are lost. Pure.

What cannot be proved against lost segments stands by itself: members who hold them still compare (client/succession).
"""

from __future__ import annotations

from hashshare.wire.chain import Step, check_nothing_forgotten, check_same_list
from hashshare.wire.errors import MalformedManifest, VersionConflict
from hashshare.wire.manifest import Manifest


def resumed(previous: Manifest | None, following: Manifest) -> Step:
    """As if the list began with `following`; but it is the same list, newer, and contradicts nothing of `previous`.

    Raises VersionConflict unless it is newer, MalformedManifest for another list, for another object over the same
    versions or for an older base, RejectedContent when the chain forgets a withdrawal.
    """
    if previous is not None:
        if following.version <= previous.version:
            message = f"The manifest has version {following.version}; the hub has version {previous.version}."
            raise VersionConflict(message, expected=previous.version + 1, offered=following.version)
        check_same_list(previous, following)
        _check_same_objects(previous, following)
    floor = following.segments[0].from_version if following.segments else following.version
    dropped = tuple(segment for segment in previous.segments if segment.to_version <= floor) if previous else ()
    check_nothing_forgotten(dropped)
    return Step(None, (), following.base, (), dropped)


def _check_same_objects(previous: Manifest, following: Manifest) -> None:
    known = {(segment.from_version, segment.to_version): segment for segment in previous.segments}
    for segment in following.segments:
        if known.get((segment.from_version, segment.to_version), segment) != segment:
            raise MalformedManifest("A published segment was replaced by another of the same range.")
    if following.base.version < previous.base.version:
        raise MalformedManifest("The base is older than the one that the hub has.")
    if following.base.version == previous.base.version and following.base != previous.base:
        raise MalformedManifest("A published base was replaced by another of the same version.")

"""How a signed manifest may follow what is held: the same list, never back, and never two truths of one version.

Pure. The hub proves every release against the one before it (wire.chain.step); a member checks what it can see, so that
a hub and a publisher's key together cannot give members different lists without one of them noticing.
"""

from __future__ import annotations

from hashshare.client.store import Held
from hashshare.wire.errors import ListForked, MalformedManifest, VerificationFailed
from hashshare.wire.manifest import Manifest


def check_succession(held: Held | None, manifest: Manifest, *, sha256: str, name: str, list_id: str) -> None:
    """`sha256` is the manifest's; `name` and `list_id` are what was asked for.

    Raises MalformedManifest for another list or format, VerificationFailed for an older version, ListForked.
    """
    said = (manifest.list_id, manifest.list_name)
    if said != (list_id, name) or (held and held.name != manifest.list_name):
        raise MalformedManifest(f"The manifest of {name} says that it is {manifest.list_name}.")
    if held is None:
        return
    if manifest.version < held.version:
        raise VerificationFailed(
            f"The hub offers version {manifest.version} of {manifest.list_name}, held here at {held.version}.",
            held=held.version,
            offered=manifest.version,
        )
    if (manifest.algorithms, manifest.scheme, manifest.columns) != (held.algorithms, held.scheme, held.columns):
        raise MalformedManifest(f"Version {manifest.version} of {name} has other columns than version {held.version}.")
    if manifest.version == held.version and sha256 != held.manifest_sha256:
        raise _forked(held, f"version {held.version}", held.manifest_sha256, sha256)
    _check_same_objects(held, manifest)


def _check_same_objects(held: Held, manifest: Manifest) -> None:
    """A range of versions, and a base, never get other content once they were published."""
    known = {(part.from_version, part.to_version): part.sha256 for part in (*held.earlier, *held.deltas)}
    for segment in manifest.segments:
        span = (segment.from_version, segment.to_version)
        if known.get(span, segment.object.sha256) != segment.object.sha256:
            what = f"the changes from version {span[0]} to {span[1]}"
            raise _forked(held, what, known[span], segment.object.sha256)
    index = manifest.base.index.sha256
    if manifest.base.version == held.base_version and index != held.base_index_sha256:
        raise _forked(held, f"its base at version {held.base_version}", held.base_index_sha256, index)


def _forked(held: Held, what: str, here: str, offered: str) -> ListForked:
    return ListForked(
        f"{held.name} was forked: its feed key signed two different contents of {what}, the one held here "
        f"({here[:16]}…) and the one that the hub offers now ({offered[:16]}…). Version {held.version} stays in use.",
        next_step=f"This is an incident: tell {held.publisher} and the hub's operator over another channel, with both "
        f"digests. Once they say which one is right: hashshare forget {held.name}, then hashshare sync.",
        what=what,
        held=here,
        offered=offered,
    )

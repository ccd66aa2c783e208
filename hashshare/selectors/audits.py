"""Everything that a publisher may know of its own delivery log: each leaf with its opening, padding and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hashshare.extensions import extensions
from hashshare.models import Leaf, Log, OrganisationKey
from hashshare.selectors.callers import Caller
from hashshare.selectors.logs import own_log, tile_reader
from hashshare.selectors.padding import padding_opening
from hashshare.wire.log.leaves import entry_of
from hashshare.wire.log.tiles import ENTRIES, WIDTH, read_entries, width_at

MOST = 1000

Statements = Mapping[int, tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class AuditedLeaf:
    """`row` and `nonce` are None when they were `erased`, or when the hub should have them and has not.

    `statement` and `public_key`, of the key that signed it, are there for acknowledgements, relayed ones included.
    """

    index: int
    kind: str
    entry: bytes
    row: str | None = None
    nonce: bytes | None = None
    erased: bool = False
    statement: str | None = None
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    leaves: list[AuditedLeaf]
    checkpoint: str


def audit(*, caller: Caller, domain: str, start: int, limit: int) -> Audit:
    """Leaves from index `start` on, at most `limit`. Raises NotEntitled, NotFound."""
    log = own_log(caller=caller, domain=domain)
    end = min(start + limit, log.size)
    rows = Leaf.objects.filter(log=log, index__gte=start, index__lt=end).select_related("acknowledgement")
    kept = {leaf.index: leaf for leaf in rows}
    signed = statements(list(kept.values()))
    entries = enumerate(entries_between(log, start, end), start)
    return Audit([audited(log, index, entry, kept.get(index), signed) for index, entry in entries], log.checkpoint)


def entries_between(log: Log, start: int, end: int) -> list[bytes]:
    """What stands in the tree."""
    read, found = tile_reader(log), list[bytes]()
    for index in range(start // WIDTH, -(-end // WIDTH)):
        bundle = read_entries(read(ENTRIES, index, width_at(log.size, ENTRIES, index)))
        first = index * WIDTH
        found += bundle[max(start - first, 0) : end - first]
    return found


def audited(log: Log, index: int, entry: bytes, leaf: Leaf | None, signed: Statements) -> AuditedLeaf:
    if leaf is None:
        padding = padding_opening(log, index)
        if entry_of(padding) != entry:
            return AuditedLeaf(index, "missing", entry)
        return AuditedLeaf(index, "padding", entry, padding.row, padding.nonce)
    if leaf.row is None:
        return AuditedLeaf(index, leaf.kind, entry, erased=True)
    statement, public_key = signed.get(leaf.pk, (None, None))
    return AuditedLeaf(
        index,
        leaf.kind,
        entry,
        leaf.row,
        bytes(leaf.nonce or b""),
        statement=statement,
        public_key=public_key,
    )


def statements(leaves: Sequence[Leaf]) -> Statements:
    """By leaf, what was signed and the raw key that signed it: at this hub, and what others relayed."""
    keys, found = public_keys(leaves), dict[int, tuple[str, bytes | None]]()
    for leaf in leaves:
        if leaf.acknowledgement:
            found[leaf.pk] = leaf.acknowledgement.statement, keys.get(leaf.acknowledgement.key)
    relayed = [leaf for leaf in leaves if leaf.kind == Leaf.Kind.RELAYED]
    for extension in extensions() if relayed else ():
        found |= extension.statements(relayed)
    return found


def public_keys(leaves: Iterable[Leaf]) -> dict[str, bytes]:
    """Raw keys by fingerprint, of the acknowledgements among `leaves`; revoked ones too."""
    signed = {leaf.acknowledgement.key for leaf in leaves if leaf.acknowledgement}
    rows = OrganisationKey.objects.filter(fingerprint__in=signed).values_list("fingerprint", "public_key")
    return {fingerprint: bytes(raw) for fingerprint, raw in rows}

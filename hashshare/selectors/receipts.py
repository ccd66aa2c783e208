"""Receipts: an organisation's own rows of a delivery log, each with the proof that it is in there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from hashshare.models import Leaf, Log
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import visible_list
from hashshare.selectors.logs import begun, prefetched_reader
from hashshare.selectors.recovery import refuse_restored
from hashshare.wire import errors
from hashshare.wire.log.proofs import Receipt
from hashshare.wire.log.trees import Tree

MOST: int = 200


@dataclass(frozen=True, slots=True)
class OwnLeaf:
    """`row` and `nonce` are the opening; `index` and `receipt` None until the leaf is sealed."""

    id: int
    kind: str
    row: str
    nonce: bytes
    index: int | None
    receipt: str | None


@dataclass(frozen=True, slots=True)
class Receipts:
    """All proofs are under the one `checkpoint`."""

    receipts: list[OwnLeaf]
    checkpoint: str


def receipts(*, caller: Caller, name: str, after: int, limit: int) -> Receipts:
    """The caller's leaves about a list (`publisher/slug`) past index `after` (-1: from the start), at most `limit`.

    By their index, which nothing is ever put before; and when there is no more of those, what the checkpoint does not
    cover yet, be it sealed meanwhile: a leaf is never in neither. Raises NotEntitled, NotFound.
    """
    domain, _, slug = name.partition("/")
    found = visible_list(caller=caller, domain=domain, slug=slug)
    log = begun(found.publisher)
    own = Leaf.objects.filter(organisation=caller.organisation, list=found, row__isnull=False)
    sealed = list(own.filter(index__gt=after, index__lt=log.size).order_by("index")[:limit])
    beyond = Q(index=None) | Q(index__gte=log.size)
    fresh = list(own.filter(beyond).order_by("pk")[: limit - len(sealed)]) if len(sealed) < limit else []
    return Receipts([*proved(log, sealed), *map(unsealed, fresh)], log.checkpoint)


def one_receipt(*, caller: Caller, leaf_id: int) -> tuple[str, OwnLeaf]:
    """A leaf of the caller's own by its id, and the name of the list that it is about.

    Raises NotEntitled for another's, one that was erased or none, NotFound until it is sealed.
    """
    refuse_restored()
    own = Leaf.objects.filter(organisation=caller.organisation, row__isnull=False)
    leaf = own.select_related("log", "list__publisher").filter(pk=leaf_id).first()
    if leaf is None or leaf.list is None:
        raise errors.NotEntitled
    if leaf.index is None or leaf.index >= leaf.log.size:
        raise errors.NotFound("This is not sealed yet.", next_step="The hub seals its logs every minute: try again.")
    return leaf.list.name, next(proved(leaf.log, [leaf]))


def proved(log: Log, leaves: Sequence[Leaf]) -> Iterator[OwnLeaf]:
    places = [leaf.index for leaf in leaves if leaf.index is not None]
    tree = Tree(log.size, prefetched_reader(log, places))
    for leaf, index in zip(leaves, places, strict=True):
        receipt = Receipt(index, tuple(tree.inclusion_proof(index)), log.checkpoint)
        yield OwnLeaf(leaf.pk, leaf.kind, leaf.row or "", bytes(leaf.nonce or b""), index, receipt.to_text())


def unsealed(leaf: Leaf) -> OwnLeaf:
    return OwnLeaf(leaf.pk, leaf.kind, leaf.row or "", bytes(leaf.nonce or b""), None, None)

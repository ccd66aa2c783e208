"""The transparency logs: append-only Merkle trees after C2SP (tlog-tiles, tlog-checkpoint, tlog-proof), without I/O.

- `merkle`: hashes of RFC 6962, verifying proofs; `tiles`: the pieces by which a tree is stored and served;
  `trees`: root and proofs from tiles; `frontier`: growing a tree.
- `notes`, `checkpoints`, `proofs`: signed notes, what a log says of itself, receipts.
- `leaves`, `rows`, `deeds`: entries, the openings that explain them, what these say; `replacements`: a root replaced;
  `peer_changes`: what became of another hub; `takeovers`: a publisher that moved; `witness_keys`: a hub that cosigns
  with another key; `readable`: how these are written.
- `cosignatures`, `witnessing`: what others say of a log, and how it asks them to.
- `acknowledgements`: members' statements.

    frontier = Frontier(size, read)
    for tile in frontier.extend(entries): keep(tile)
    note = sign_checkpoint(Checkpoint(origin, frontier.size, frontier.root()), key=key)
    proof = Tree(frontier.size, read).inclusion_proof(index)
    text = Receipt(index, tuple(proof), note).to_text()
    Receipt.parse(text).verify(entry_of(opening), Verifier(origin, public), origin=origin)
"""

from hashshare.wire.log.acknowledgements import Acknowledgement, sign_acknowledgement, verify_acknowledgement
from hashshare.wire.log.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from hashshare.wire.log.cosignatures import Cosignature, Cosigner, cosign, cosignatures
from hashshare.wire.log.deeds import DeedRow
from hashshare.wire.log.frontier import Frontier
from hashshare.wire.log.leaves import (
    DEED,
    Opening,
    check_opening,
    entry_of,
    new_opening,
    padding_nonce,
    padding_secret,
    publication_entry,
)
from hashshare.wire.log.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    root_of,
    roots_at,
    verify_consistency,
    verify_inclusion,
)
from hashshare.wire.log.notes import Verifier, open_note, sign_note, verifier_key
from hashshare.wire.log.peer_changes import PeerChange
from hashshare.wire.log.proofs import Receipt
from hashshare.wire.log.replacements import RootReplaced
from hashshare.wire.log.rows import AcknowledgementRow, DeliveryRow, ErasureRow, PaddingRow, RelayedRow, Row, read_row
from hashshare.wire.log.takeovers import TakenOver
from hashshare.wire.log.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TilePlace,
    TileReader,
    cut,
    entries_bundle,
    parse_tile_path,
    read_entries,
    tile_path,
    tiles_of,
    width_at,
)
from hashshare.wire.log.trees import Tree
from hashshare.wire.log.witness_keys import WitnessKeyReplaced
from hashshare.wire.log.witnessing import AddCheckpoint, check_step

__all__ = [
    "DEED",
    "EMPTY_ROOT",
    "ENTRIES",
    "WIDTH",
    "Acknowledgement",
    "AcknowledgementRow",
    "AddCheckpoint",
    "Checkpoint",
    "Cosignature",
    "Cosigner",
    "DeedRow",
    "DeliveryRow",
    "ErasureRow",
    "Frontier",
    "Opening",
    "PaddingRow",
    "PeerChange",
    "Receipt",
    "RelayedRow",
    "RootReplaced",
    "Row",
    "TakenOver",
    "Tile",
    "TilePlace",
    "TileReader",
    "Tree",
    "Verifier",
    "WitnessKeyReplaced",
    "check_opening",
    "check_step",
    "cosign",
    "cosignatures",
    "cut",
    "entries_bundle",
    "entry_of",
    "leaf_hash",
    "new_opening",
    "node_hash",
    "open_checkpoint",
    "open_note",
    "padding_nonce",
    "padding_secret",
    "parse_tile_path",
    "publication_entry",
    "read_entries",
    "read_row",
    "root_of",
    "roots_at",
    "sign_acknowledgement",
    "sign_checkpoint",
    "sign_note",
    "tile_path",
    "tiles_of",
    "verifier_key",
    "verify_acknowledgement",
    "verify_consistency",
    "verify_inclusion",
    "width_at",
]

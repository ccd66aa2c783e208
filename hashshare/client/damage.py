"""Which files of a held list are damaged or missing, as far as a look tells; `verify` reads them all."""

from __future__ import annotations

from pathlib import Path

from hashshare.client.store import Held, ListStore, read_digested


def damaged_files(store: ListStore, held: Held | None) -> tuple[Path, ...]:
    """The files of `held` that are missing, of a wrong length, or (the small ones) of a wrong digest.

    `held` is None where nothing is held, or where the record of it is damaged.
    """
    if held is None:
        record = store.folder / "current.json"
        return (record,) if record.exists() else ()
    documents = {
        store.manifest_path(held.manifest_sha256): held.manifest_sha256,
        store.index_path(held.base_index_sha256): held.base_index_sha256,
    }
    proof = store.proof_path(held.manifest_sha256)
    return (
        *(path for path, sha256 in documents.items() if read_digested(path, sha256) is None),
        *(() if proof.is_file() else (proof,)),
        *(store.object_path(part.sha256) for part in held.objects if not store.has(part)),
    )

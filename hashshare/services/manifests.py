"""Reading stored manifests and base indexes: length and digest are checked before a byte is parsed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hashshare.models import HashList, StoredObject
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import errors
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef

CHUNK = 1024 * 1024


def read_manifest(hash_list: HashList, ref: ObjectRef | StoredObject) -> Manifest:
    """Raises MissingObject, WrongDigest, MalformedManifest, UnknownRequirement."""
    if isinstance(ref, StoredObject):
        ref = ObjectRef(f"{hash_list.tuf_id}/{ref.name}", ref.length, ref.digest)
    return Manifest.parse(checked_bytes(ref))


def read_base_index(ref: ObjectRef) -> BaseIndex:
    """Raises MissingObject, WrongDigest, MalformedManifest."""
    return BaseIndex.parse(checked_bytes(ref))


def checked_bytes(ref: ObjectRef) -> bytes:
    path = object_path(ref)
    if path.stat().st_size != ref.length:
        raise errors.WrongDigest(f"{ref.path} has another length than announced.", path=ref.path)
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != ref.sha256:
        raise errors.WrongDigest(f"{ref.path} has another digest than announced.", path=ref.path)
    return body


def checked_file(ref: ObjectRef) -> Path:
    """The path of an object whose every byte was read and hashed. Raises MissingObject, WrongDigest."""
    path, seen = object_path(ref), hashlib.sha256()
    if path.stat().st_size != ref.length:
        raise errors.WrongDigest(f"{ref.path} has another length than announced.", path=ref.path)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            seen.update(chunk)
    if seen.hexdigest() != ref.sha256:
        raise errors.WrongDigest(f"{ref.path} has another digest than announced.", path=ref.path)
    return path


def object_path(ref: ObjectRef) -> Path:
    """A file on this machine with the object's bytes, for reading within the hour. Raises MissingObject."""
    try:
        return object_store().local(object_key(ref.list_id, ref.sha256, ref.name))
    except FileNotFoundError as error:
        raise missing(ref) from error


def check_stored(ref: ObjectRef) -> None:
    """That the object is where it should be, without reading it. Raises MissingObject."""
    if object_store().length(object_key(ref.list_id, ref.sha256, ref.name)) is None:
        raise missing(ref)


def missing(ref: ObjectRef) -> errors.MissingObject:
    return errors.MissingObject(f"{ref.path} was not uploaded.", paths=[ref.path], count=1)

"""One interface to private keys, wherever they lie: PEM files here, or whatever securesystemslib has a URI for.

A key is known by its *record*, `<name>.json` in a folder of keys: the public key in clear and where the private one is,
`file:<name>.pem` beside it or a signer URI (`hsm:`, `awskms:`, `azurekms:`, `gcpkms:`, `hv:` ...). A record holds no
secret: a passphrase or PIN is asked for when the key is used.

    key = make_file_key(folder, "root", passphrase=b"...")      # or: record_key(folder, "root", uri=uri, public=key)
    for key in held_keys(folder): ...                           # knows ids without opening anything
    signer = open_signer(key, ask)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib import parse

from securesystemslib.signer import (
    AWSSigner,
    AzureSigner,
    GCPSigner,
    HSMSigner,
    Key,
    SecretsHandler,
    Signature,
    Signer,
    SSlibKey,
    VaultSigner,
)

from hashshare.client.home import make_private_folder, read_json, sync_folder, write_json
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError, UsageError
from hashshare.wire.repository.shapes import KEY_KINDS

RECORD: Final = "hashshare-key/1"
FILE: Final = "file:"

Ask = Callable[[Path | str], bytes | None]
"""Called with what is to be opened or made: a file of a key (or its folder), or a signer's URI. Answers the passphrase
or PIN, None for none. It never comes from the command line."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """`name` is what it is called in its folder: "root", "targets", "feed" or a further one; `uri` as in the record."""

    folder: Path
    name: str
    public: SSlibKey
    uri: str

    @property
    def keyid(self) -> str:
        return self.public.keyid

    @property
    def place(self) -> Path | str:
        """The file, or the URI."""
        return self.folder / self.uri.removeprefix(FILE) if self.uri.startswith(FILE) else self.uri


def held_keys(folder: Path, *, passed_over: Callable[[str], None] | None = None) -> list[HeldKey]:
    """Every key that a record in `folder` names, by name.

    A file that is damaged is told to `passed_over`; without that, raises HashshareError.
    """
    found: list[HeldKey] = []
    for path in sorted(folder.glob("*.json")):
        try:
            key = find_key(folder, path.stem)
        except HashshareError as error:
            if passed_over is None:
                raise
            passed_over(f"Passed over: {error.message}")
            continue
        found += [key] if key is not None else []
    return found


def find_key(folder: Path, name: str) -> HeldKey | None:
    """The key of that name; None if no record names it."""
    path = folder / f"{name}.json"
    document = read_json(path)
    if document is None or document.get("format") != RECORD:
        return None
    try:
        public: Key | None = Key.from_dict(str(document["keyid"]), dict(document["key"]))
        uri = str(document["uri"])
    except (KeyError, TypeError, ValueError):
        public, uri = None, ""
    if not isinstance(public, SSlibKey) or public.keyid != keys.key_id(public):
        raise HashshareError(f"{path} is damaged.", next_step="Restore it from your backup of the keys.")
    return HeldKey(folder, name, public, uri)


def make_file_key(folder: Path, name: str, *, passphrase: bytes | None) -> HeldKey:
    """A new Ed25519 key in `<name>.pem` (0600) with its record. A killed command leaves a whole key or none."""
    make_private_folder(folder)
    private, path = keys.generate(), folder / f"{name}.pem"
    if path.exists():
        raise UsageError(f"{path} exists already; a key is never overwritten.")
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    keys.save(private, unfinished, passphrase=passphrase)
    public = keys.tuf_key(keys.public_bytes(private))
    # The record first: what it names may be made again, but a key without one could not be told from others.
    key = record_key(folder, name, uri=f"{FILE}{path.name}", public=public)
    unfinished.rename(path)
    sync_folder(folder)
    return key


def record_key(folder: Path, name: str, *, uri: str, public: SSlibKey) -> HeldKey:
    """Write the record of a key whose private half lies elsewhere. Raises UsageError for a kind that no hub accepts."""
    if (public.keytype, public.scheme) not in KEY_KINDS:
        raise UsageError(
            f"{uri} is a key of kind {public.keytype}, {public.scheme}; Ed25519 and ECDSA P-256 are accepted."
        )
    document = {"format": RECORD, "keyid": public.keyid, "key": public.to_dict(), "uri": uri}
    write_json(make_private_folder(folder) / f"{name}.json", document)
    return HeldKey(folder, name, public, uri)


def is_there(key: HeldKey | None) -> bool:
    """Whether a key can be tried: a file that exists, or anything behind a URI."""
    return key is not None and (isinstance(key.place, str) or key.place.exists())


def is_encrypted(path: Path) -> bool:
    """Whether a PEM file needs a passphrase (RFC 7468 section 11)."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()[:200]


def open_signer(key: HeldKey, ask: Ask) -> Signer:
    """What signs with `key`. Raises UsageError when it is not there, does not open, or is another than the record's."""
    if isinstance(key.place, Path):
        if not key.place.exists():
            raise UsageError(
                f"The {key.name} key is not where its record says ({key.place}).",
                next_step="Run it where the key is, or restore the key from its backup.",
            )
        private = keys.load(key.place, passphrase=ask(key.place) if is_encrypted(key.place) else None)
        signer: Signer = keys.tuf_signer(private)
        if signer.public_key.keyid != key.keyid:
            raise UsageError(f"{key.place} holds another key than its record {key.name}.json says.")
        return signer
    return _Elsewhere(key, ask)


class _Elsewhere(Signer):
    """A key behind a URI. Its library's errors, which may be anything, are told as one that says which key."""

    def __init__(self, key: HeldKey, ask: Ask) -> None:
        self._key, self._ask = key, ask

    @property
    def public_key(self) -> SSlibKey:
        return self._key.public

    @classmethod
    def from_priv_key_uri(cls, *_arguments: Any, **_named: Any) -> Signer:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        """Raises UsageError when it cannot be reached, does not open, or signs with another key."""
        try:
            signer = Signer.from_priv_key_uri(self._key.uri, self._key.public, secret_of(self._key.uri, self._ask))
            signature = signer.sign(payload)
            self._key.public.verify_signature(signature, payload)
        except HashshareError:
            raise
        except Exception as error:
            raise unusable(self._key.uri, error) from error
        return signature


def key_file(path: Path, ask: Ask) -> HeldKey:
    """A key by its file alone, with or without a record beside it."""
    recorded = find_key(path.parent, path.stem)
    if recorded is not None and recorded.place == path:
        return recorded
    if not path.is_file():
        raise UsageError(f"There is no key file {path}.")
    private = keys.load(path, passphrase=ask(path) if is_encrypted(path) else None)
    return HeldKey(path.parent, path.stem, keys.tuf_key(keys.public_bytes(private)), f"{FILE}{path.name}")


def secret_of(uri: str, ask: Ask) -> SecretsHandler:
    """What a signer calls for its PIN."""
    return lambda _what: (ask(uri) or b"").decode()


def unusable(uri: str, error: Exception) -> UsageError:
    return UsageError(
        f"The key {uri} cannot be used: {str(error).rstrip('.') or type(error).__name__}.",
        next_step="Check that its device or service is there, its library is installed, and the PIN is right.",
    )


# --- keys behind a URI -------------------------------------------------------------------------------------------


def import_key(uri: str, ask: Ask) -> tuple[str, SSlibKey]:
    """The URI to record, and the public key that its device or service has. Raises UsageError.

    `hsm:<number>?label=<token>` (PKCS#11, ECDSA P-256), `awskms:<key id>`, `gcpkms:<key version name>`,
    `azurekms://<vault>.vault.azure.net/keys/<name>` (all ECDSA P-256), `hv:<name>` (Vault's Transit engine, Ed25519).
    """
    scheme = uri.partition(":")[0]
    if scheme not in _IMPORTERS:
        raise UsageError(
            f"{uri[:80]!r} is not the URI of a key that can be used.", next_step=f"Known: {', '.join(_IMPORTERS)}."
        )
    try:
        found, public = _IMPORTERS[scheme](parse.urlparse(uri), ask)
    except HashshareError:
        raise
    except Exception as error:
        raise unusable(uri, error) from error
    return found, public


def _from_token(uri: parse.ParseResult, ask: Ask) -> tuple[str, SSlibKey]:
    number = int(uri.path) if uri.path else None
    label = dict(parse.parse_qsl(uri.query)).get("label")
    return HSMSigner.import_(number, label, secret_of(uri.geturl(), ask))


def _from_azure(uri: parse.ParseResult, _ask: Ask) -> tuple[str, SSlibKey]:
    return AzureSigner.import_(uri.netloc.partition(".")[0], uri.path.removeprefix("/keys/").partition("/")[0])


_IMPORTERS: Final[dict[str, Callable[[parse.ParseResult, Ask], tuple[str, SSlibKey]]]] = {
    "hsm": _from_token,
    "awskms": lambda uri, _ask: AWSSigner.import_(uri.path, "ecdsa-sha2-nistp256"),
    "gcpkms": lambda uri, _ask: GCPSigner.import_(uri.path),
    "azurekms": _from_azure,
    "hv": lambda uri, _ask: VaultSigner.import_(uri.path.partition("/")[0]),
}

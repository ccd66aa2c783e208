"""A publisher's own folder, HOME/publisher/<domain>: its private keys, its first root, what it knows of its lists.

What members are served is not kept here: that is the verified store of the same list, as every member has it. Nothing
here talks to the hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import Signer

from hashshare.client.drafts import ListTerms
from hashshare.client.home import (
    Home,
    checked_domain,
    read_json,
    split_list_name,
    write_json,
)
from hashshare.client.signers import Ask, HeldKey, find_key, open_signer
from hashshare.wire.documents import Fields
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import MalformedManifest, UsageError
from hashshare.wire.manifest import Redistribution

KEY_ROLES: Final = ("root", "targets", "feed")
LIST_RECORD: Final = "hashshare-own-list/1"
WORDS_RECORD: Final = "hashshare-catalogue-words/1"

AskPassphrase = Ask


@dataclass(frozen=True, slots=True)
class OwnPublisher:
    """Paths of one publishing identity on this machine. `part`: of one of its folders that is laid out alike."""

    home: Home
    domain: str
    part: str = ""

    @property
    def folder(self) -> Path:
        return self.home.path / "publisher" / checked_domain(self.domain) / self.part

    @property
    def beginning(self) -> OwnPublisher:
        """What is made where the publisher begins anew (client.anew), until the hub has accepted it."""
        return OwnPublisher(self.home, self.domain, "anew")

    @property
    def root_path(self) -> Path:
        """Root version 1 as made here, which the fingerprint is of."""
        return self.folder / "1.root.json"

    @property
    def targets_path(self) -> Path:
        """Targets version 1 as made here."""
        return self.folder / "1.targets.json"

    def key_path(self, role: str) -> Path:
        return self.keys_folder / f"{role}.pem"

    @property
    def keys_folder(self) -> Path:
        return self.folder / "keys"

    @property
    def requests_folder(self) -> Path:
        """Signing requests that wait for officers (client.ceremony)."""
        return self.folder / "requests"

    def list_path(self, slug: str) -> Path:
        return self.folder / "lists" / f"{slug}.json"

    def pending_path(self, list_id: str) -> Path:
        """Names the job of a commit that the hub has taken and that was not yet seen to end."""
        return self.folder / "pending" / f"{list_id}.json"

    def published_path(self, list_id: str) -> Path:
        """The versions that were published, with their manifests' digests (client.published)."""
        return self.folder / "published" / f"{list_id}.txt"

    def work_folder(self, list_id: str) -> Path:
        """Segments on their way to the hub; whatever lies there belongs to no release yet."""
        return self.folder / "work" / list_id

    def words_path(self, slug: str) -> Path:
        """What the hub's catalogue was told of a list beyond what its manifests say."""
        return self.folder / "catalogue" / f"{slug}.json"

    @property
    def slugs(self) -> list[str]:
        return sorted(path.stem for path in (self.folder / "lists").glob("*.json"))


def own_publishers(home: Home) -> list[OwnPublisher]:
    """Every publisher whose keys or root are here, by domain."""
    folder = home.path / "publisher"
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [OwnPublisher(home, name) for name in names]


def own_list_name(home: Home, name: str) -> str:
    """`aurora.example/images` as it is; a bare `images` when exactly one list here is called so. Raises UsageError."""
    if "/" in name:
        split_list_name(name)
        return name
    found = [f"{mine.domain}/{name}" for mine in own_publishers(home) if name in mine.slugs]
    if len(found) == 1:
        return found[0]
    known = [f"{mine.domain}/{slug}" for mine in own_publishers(home) for slug in mine.slugs]
    raise UsageError(
        f"{name!r} is {'the name of several lists' if found else 'not the name of a list'} published from here.",
        next_step=f"Published from here: {', '.join(known)}." if known else "Run: hashshare publisher list create NAME",
    )


# --- keys --------------------------------------------------------------------------------------------------------


def own_key(mine: OwnPublisher, role: str) -> HeldKey:
    """The record of the key of `role` ("root", "targets", or "feed" for every list). Raises UsageError without one."""
    key = find_key(mine.keys_folder, role)
    if key is None:
        raise UsageError(
            f"The {role} key of {mine.domain} is not on this machine ({mine.keys_folder}).",
            next_step=f"Run it where the key is, or begin with: hashshare publisher init {mine.domain}",
        )
    return key


def signer(mine: OwnPublisher, role: str, ask: AskPassphrase) -> Signer:
    """What signs metadata of `role`. Raises UsageError when the key is not here or does not open."""
    return open_signer(own_key(mine, role), ask)


# --- lists -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnList:
    """A list published from here, as its publisher declared it: never read back from the hub."""

    publisher: OwnPublisher
    slug: str
    terms: ListTerms

    @property
    def name(self) -> str:
        return self.terms.name

    @property
    def list_id(self) -> str:
        return self.terms.list_id

    @property
    def fmt(self) -> ListFormat:
        return self.terms.fmt


def save_list(mine: OwnPublisher, slug: str, terms: ListTerms) -> OwnList:
    write_json(mine.list_path(slug), _list_json(terms))
    return OwnList(mine, slug, terms)


def save_words(own: OwnList, words: Mapping[str, Any]) -> None:
    """`words`: title, description, terms, visibility, deadline_hours, as the hub took them."""
    write_json(own.publisher.words_path(own.slug), {"format": WORDS_RECORD, "id": own.list_id, "words": dict(words)})


def kept_words(own: OwnList) -> dict[str, Any] | None:
    """The same; None of a list that was created by an earlier version or on another machine."""
    document = read_json(own.publisher.words_path(own.slug)) or {}
    if document.get("format") != WORDS_RECORD or document.get("id") != own.list_id:
        return None
    return dict(document["words"])


def find_list(home: Home, name: str) -> OwnList:
    """By full name, or by slug when one list has it. Raises UsageError when none of that name is published here."""
    full_name = own_list_name(home, name)
    domain, slug = split_list_name(full_name)
    mine = OwnPublisher(home, domain)
    document = read_json(mine.list_path(slug))
    if document is None:
        raise UsageError(
            f"{full_name} is not published from this machine.",
            next_step=f"Run: hashshare publisher list create {full_name} (or copy {mine.folder} from where it is).",
        )
    return OwnList(mine, slug, _read_terms(document, full_name))


def every_list(home: Home) -> list[OwnList]:
    """Raises UsageError when nothing is published from here: a line in cron that does nothing would pass unseen."""
    found = [find_list(home, f"{mine.domain}/{slug}") for mine in own_publishers(home) for slug in mine.slugs]
    if not found:
        raise UsageError(
            f"No list is published from {home.path}.", next_step="Check HASHSHARE_HOME, and whose crontab this is."
        )
    return found


def _list_json(terms: ListTerms) -> dict[str, Any]:
    return {
        "format": LIST_RECORD,
        "id": terms.list_id,
        "name": terms.name,
        "algorithms": list(terms.fmt.algorithms),
        "scheme": terms.fmt.scheme,
        "columns": list(terms.fmt.columns),
        "redistribution": terms.redistribution.to_json(),
        "poll_seconds": terms.poll_seconds,
    }


def _read_terms(document: Mapping[str, Any], name: str) -> ListTerms:
    if document.get("format") != LIST_RECORD or document.get("name") != name:
        raise UsageError(f"The record of {name} was written by another version of hashshare.")
    fmt = ListFormat(tuple(document["algorithms"]), document["scheme"], tuple(document["columns"]))
    policy = Fields(document["redistribution"], where="redistribution", error=MalformedManifest)
    return ListTerms(document["id"], name, fmt, Redistribution.read(policy), document["poll_seconds"])

"""A lost hub key is replaced by the standby key that every root names already: no hotline has to do anything."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from tuf.api.metadata import Metadata as SignedMetadata

from hashshare.hub_keys import hub_keys
from hashshare.models import Job, Metadata
from hashshare.wire import errors, keys, repository
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.HASHSHARE_KEYS = tmp_path / "keys"
    return tmp_path / "keys"


def newest(role: str) -> SignedMetadata:  # type: ignore[type-arg]
    row = Metadata.objects.filter(role=role).order_by("-version").first()
    assert row is not None
    return SignedMetadata.from_bytes(row.content)


def test_it_keeps_private_keys_to_itself(folder: Path) -> None:
    hub_keys()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("online.pem", "standby.pem", "standby.pub"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_it_works_with_the_standby_key_offline(folder: Path) -> None:
    before = hub_keys().public
    (folder / "standby.pem").rename(folder.parent / "offline.pem")
    assert hub_keys().public == before
    assert not (folder / "standby.pem").exists()


def test_it_replaces_a_lost_key_under_the_same_root(folder: Path) -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    offline = folder.parent / "offline.pem"
    (folder / "standby.pem").rename(offline)
    lost, standby = hub_keys().both
    call_command("replace_hub_key", str(offline))
    assert hub_keys().both[0].keyid == standby.keyid
    assert hub_keys().both[1].keyid not in (lost.keyid, standby.keyid)
    root = newest("root")
    for role in ("snapshot", "timestamp"):
        assert set(newest(role).signatures) == {standby.keyid}
        root.signed.verify_delegate(role, newest(role).signed_bytes, newest(role).signatures)
    feed.publish(feed.next([b.upsert(b.entry())]))


def test_it_rejects_a_key_that_is_not_the_standby(folder: Path) -> None:
    before = hub_keys().public
    keys.save(keys.generate(), folder.parent / "other.pem")
    for path in (folder.parent / "other.pem", folder.parent / "none.pem", folder / "standby.pub"):
        with pytest.raises(CommandError):
            call_command("replace_hub_key", str(path))
    assert hub_keys().public == before


def test_the_next_root_drops_the_lost_key(folder: Path) -> None:
    """One that names it still is refused, and the hub's own signatures are of a key that stays."""
    aurora = b.publisher()
    lost, officer = hub_keys().online.public_key, keys.tuf_signer(aurora.officer)
    call_command("replace_hub_key", str(folder / "standby.pem"), stdout=io.StringIO())
    with pytest.raises(errors.MalformedMetadata):
        renewed = repository.next_root(aurora.root, signers=[officer], now=b.now())
        aurora.submit({"root": renewed}, if_match=1)
    root = repository.next_root(aurora.root, hub_keys=hub_keys().both, signers=[officer], now=b.now())
    job = aurora.commit({"root": root}, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    assert lost.keyid not in repository.read_role("root", root).signed.keys
    assert set(newest("timestamp").signatures) == {hub_keys().online.public_key.keyid}

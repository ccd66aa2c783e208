"""A lost hub key is replaced by the standby key that every root names already: no hotline has to do anything."""

from __future__ import annotations

import base64
import io
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from tuf.api.metadata import Metadata as SignedMetadata

from hashshare.hub_keys import hub_keys, load_hub_keys, read_standby
from hashshare.models import Job, Metadata, Publisher
from hashshare.selectors.hub import LaggingRoot, lagging_roots, publisher_state, with_roots
from hashshare.services.timestamps import refresh_timestamps
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


def test_programs_that_start_at_once_make_one_standby_key(folder: Path) -> None:
    """As after the key in use moved to the standby key's place: else a private key may lie beside another's half."""
    for _ in range(10):
        used = hub_keys().online.public_key
        (folder / "standby.pub").write_bytes(base64.b64encode(keys.public_bytes(keys.load(folder / "online.pem"))))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: load_hub_keys.__wrapped__(folder, "", folder / "online.pem"), range(8)))
        kept = keys.tuf_signer(keys.load(folder / "standby.pem")).public_key.keyid
        assert {it.standby.keyid for it in found} == {kept, read_standby(folder).keyid} == {kept}
        assert kept != used.keyid


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


def test_it_says_in_words_that_there_is_no_such_file(folder: Path) -> None:
    with pytest.raises(
        CommandError, match=r"/missing cannot be read: No such file.*Nothing was changed\. Name the standby"
    ):
        call_command("replace_hub_key", "/missing")


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


def test_it_takes_a_standby_key_that_is_under_a_passphrase(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was encrypted on its way to another machine; the next one is, too."""
    standby = hub_keys().standby
    held, offline = keys.load(folder / "standby.pem"), folder.parent / "offline.pem"
    offline.write_bytes(keys.to_pem(held, passphrase=b"carried on a stick"))
    (folder / "standby.pem").unlink()
    monkeypatch.setenv("HASHSHARE_STANDBY_PASSPHRASE", "")
    with pytest.raises(CommandError, match="needs a passphrase"):
        call_command("replace_hub_key", str(offline))
    monkeypatch.setenv("HASHSHARE_STANDBY_PASSPHRASE", "carried on a stick")
    call_command("replace_hub_key", str(offline))
    assert hub_keys().both[0].keyid == standby.keyid
    keys.load(folder / "standby.pem", passphrase=b"carried on a stick")


def test_a_lost_key_is_not_replaced_by_one_that_no_root_names(folder: Path, tmp_path: Path) -> None:
    """Nothing is signed until the standby takes over, so that members meet silence and no forgery."""
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    (folder / "standby.pem").rename(tmp_path / "offline.pem")
    (folder / "online.pem").unlink()
    before = newest("timestamp").signed.version
    assert refresh_timestamps(now=b.now() + timedelta(hours=1)) == 0
    with pytest.raises(ImproperlyConfigured, match="replace_hub_key"):
        hub_keys()
    assert newest("timestamp").signed.version == before
    assert not (folder / "online.pem").exists()
    call_command("replace_hub_key", str(tmp_path / "offline.pem"))
    assert newest("timestamp").signed.version > before


def test_it_says_whose_root_does_not_name_the_new_pair_yet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    owner = b.publisher()
    assert lagging_roots() == []
    assert publisher_state(with_roots(Publisher.objects.all()).get()) == "served"
    call_command("replace_hub_key", str(folder / "standby.pem"))
    assert lagging_roots() == [LaggingRoot("aurora.example", stuck=False)]
    assert publisher_state(with_roots(Publisher.objects.all()).get()) == "standby not named"
    assert "hashshare publisher rotate hub aurora.example" in capsys.readouterr().out
    call_command("replace_hub_key", str(folder / "standby.pem"))
    assert lagging_roots() == [LaggingRoot("aurora.example", stuck=True)]
    assert owner.domain == "aurora.example"


# --- a key that lies elsewhere -----------------------------------------------------------------------------------


def elsewhere(settings: Settings, folder: Path, key: PrivateKeyTypes) -> None:
    """As in a key service, which for securesystemslib a file is, too."""
    place, public = folder / "service.pem", folder / "service.pub"
    no = serialization.NoEncryption()
    place.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, spki))
    settings.HASHSHARE_ONLINE_KEY_URI = f"file2:{place}"
    settings.HASHSHARE_ONLINE_KEY_PUBLIC = str(public)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_it_signs_with_a_key_that_lies_elsewhere(folder: Path, settings: Settings, tmp_path: Path, kind: str) -> None:
    elsewhere(settings, tmp_path, keys.generate() if kind == "ed25519" else generate_private_key(SECP256R1()))
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    assert not (folder / "online.pem").exists()
    root = newest("root")
    for role in ("snapshot", "timestamp"):
        root.signed.verify_delegate(role, newest(role).signed_bytes, newest(role).signatures)
    assert hub_keys().public[0]["keytype"] == kind
    with pytest.raises(CommandError, match="remove HASHSHARE_ONLINE_KEY_URI"):
        call_command("replace_hub_key", str(folder / "standby.pem"))


def test_a_key_moves_elsewhere_by_way_of_the_standby_s_place(folder: Path, settings: Settings, tmp_path: Path) -> None:
    """Roots name it as standby first; once they all do, the settings may name it, and a new standby key is made."""
    hub_keys()
    key = keys.generate()
    elsewhere(settings, tmp_path, key)
    uri, settings.HASHSHARE_ONLINE_KEY_URI = settings.HASHSHARE_ONLINE_KEY_URI, ""
    (folder / "standby.pub").write_bytes((tmp_path / "service.pub").read_bytes())
    feed = b.feed(b.publisher())
    settings.HASHSHARE_ONLINE_KEY_URI = uri
    assert hub_keys().online.public_key.keyid == keys.tuf_signer(key).public_key.keyid
    assert hub_keys().standby.keyid != hub_keys().online.public_key.keyid
    feed.publish(feed.first([b.entry()]))
    assert lagging_roots() == [LaggingRoot("aurora.example", stuck=False)]


def test_it_says_which_setting_is_wrong_and_no_secret(folder: Path, settings: Settings, tmp_path: Path) -> None:
    elsewhere(settings, tmp_path, keys.generate())
    settings.HASHSHARE_ONLINE_KEY_URI = "nowhere:secret-place"
    with pytest.raises(ImproperlyConfigured, match=r"\(nowhere:\.\.\.\)") as said:
        hub_keys()
    assert "secret-place" not in str(said.value)

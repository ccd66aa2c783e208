"""A publisher's root that changed is followed by its own signatures, with no step of the member's, and told once."""

from __future__ import annotations

from hashshare.client.rootchange import RootChange
from hashshare.wire.repository.rotation import KeyChange
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt


def test_it_tells_once_which_keys_went_and_came(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    assert cobalt.run("sync", "--json").json["roots"] == []
    old = aurora._key(aurora.officer).keyid
    aurora.replace_officer()
    new = aurora._key(aurora.officer).keyid
    aurora.release(items(3))

    said = cobalt.run("sync")
    assert said.status == 0, said.err
    assert "root v1 → v2, signed by the root before it" in said.out
    assert f"root keys: {old[:12]}… out, {new[:12]}… in; targets keys: {old[:12]}… out" in said.out
    assert cobalt.run("sync", "--force", "--json").json["roots"] == []


def test_it_tells_a_program_every_key(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    cobalt.run("sync")
    aurora.replace_officer()
    aurora.release(items(3))
    [told] = cobalt.run("sync", "--json").json["roots"]
    assert (told["publisher"], told["before"], told["after"]) == (aurora.domain, 1, 2)
    assert [change["role"] for change in told["changes"]] == ["root", "targets"]


def test_a_renewal_says_that_the_keys_are_the_same(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    cobalt.run("sync")
    aurora.rotate_root()
    said = cobalt.run("sync", "--force")
    assert "root v1 → v2, signed by the root before it: renewed, with the same keys." in said.out


def test_it_says_the_hubs_keys_once_and_thresholds_in_words() -> None:
    hub = [KeyChange(role, ("a" * 64,), ("b" * 64,), 1, 1) for role in ("snapshot", "timestamp")]
    said = str(RootChange("aurora.example", 3, 4, (KeyChange("root", (), ("c" * 64,), 1, 2), *hub)))
    assert said.count("the hub's keys") == 1
    assert "root keys: cccccccccccc… in, 2 must sign instead of 1" in said

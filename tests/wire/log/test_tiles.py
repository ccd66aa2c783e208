"""Paths, widths and bundles of tiles, and those that no log of this kind has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log import (
    ENTRIES,
    WIDTH,
    Frontier,
    TilePlace,
    cut,
    entries_bundle,
    parse_tile_path,
    read_entries,
    tile_path,
    tiles_of,
    width_at,
)
from tests.wire.log.naive import Shelf, sample

PATHS = {
    "tile/0/000": TilePlace(0, 0, WIDTH),
    "tile/0/999.p/1": TilePlace(0, 999, 1),
    "tile/2/x001/000": TilePlace(2, 1_000, WIDTH),
    "tile/1/x001/x234/067.p/255": TilePlace(1, 1_234_067, 255),
    "tile/entries/007.p/12": TilePlace(ENTRIES, 7, 12),
    "tile/7/x001/x000/000": TilePlace(7, 1_000_000, WIDTH),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_names_a_place(path: str) -> None:
    place = PATHS[path]
    assert parse_tile_path(path) == place
    assert tile_path(place.level, place.index, place.width) == path


@settings(deadline=None)
@given(st.integers(ENTRIES, 7), st.integers(0, 10**18 - 1), st.integers(1, WIDTH))
def test_every_place_has_one_path(level: int, index: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, index, width)) == TilePlace(level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/01/000",
        "tile/8/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/-01",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/Entries/000",
        "/tile/0/000",
        "tile/0//000",
        "tile/0/../000",
        "tile/0/" + "x001/" * 6 + "000",
        "tile/8/0/000",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedLog):
        parse_tile_path(path)


def test_widths_follow_the_size() -> None:
    assert [width_at(70_000, level, index) for level, index in ((0, 272), (0, 273), (0, 274))] == [256, 112, 0]
    assert [width_at(70_000, level, index) for level, index in ((1, 0), (1, 1), (2, 0), (3, 0))] == [256, 17, 1, 0]
    assert [width_at(256, level, 0) for level in (ENTRIES, 0, 1, 2)] == [256, 256, 1, 0]
    assert list(tiles_of(0)) == []


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=WIDTH))
def test_bundles_hold_any_entries(entries: list[bytes]) -> None:
    bundle = entries_bundle(entries)
    assert read_entries(bundle) == read_entries(bundle, width=len(entries)) == entries
    for width in {0, len(entries) // 2, len(entries)}:
        assert read_entries(cut(ENTRIES, bundle, width)) == entries[:width]


def test_a_bundle_has_at_most_256_entries() -> None:
    assert len(read_entries(bytes(2 * WIDTH))) == WIDTH
    with pytest.raises(MalformedLog):
        read_entries(bytes(2 * WIDTH + 2))


def test_an_entry_has_at_most_65535_bytes() -> None:
    longest = bytes(0xFFFF)
    assert read_entries(entries_bundle([longest])) == [longest]
    with pytest.raises(MalformedLog):
        entries_bundle([longest + b"x"])
    shelf = Shelf()
    frontier = Frontier(0, shelf.read)
    shelf.put(frontier.extend([longest]))
    with pytest.raises(MalformedLog):
        list(frontier.extend([longest + b"x"]))
    assert frontier.size == 1, "it is refused before the tree grows"


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x01", b"\x00\x02x", b"\x00\x00\x01", b"\xff\xff" + bytes(9)])
def test_bundles_that_are_cut_off_are_refused(bundle: bytes) -> None:
    with pytest.raises(MalformedLog):
        read_entries(bundle)


def test_bundles_of_another_width_are_refused() -> None:
    with pytest.raises(MalformedLog):
        read_entries(entries_bundle([b"x"] * 3), width=4)
    with pytest.raises(MalformedLog):
        read_entries(bytes(2 * (WIDTH + 1)))


def test_a_narrower_tile_is_never_taken_for_a_wider() -> None:
    with pytest.raises(MalformedLog):
        cut(0, bytes(64), 3)
    with pytest.raises(MalformedLog):
        cut(ENTRIES, entries_bundle([b"x"]), 2)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), bytes(64)])
def test_hashes_of_other_lengths_do_not_get_in(wrong: bytes) -> None:
    with pytest.raises(MalformedLog):
        list(Frontier(0, Shelf().read).extend_hashes([wrong]))


def test_a_bundle_that_does_not_fit_the_size_stops_the_growth() -> None:
    shelf = Shelf()
    shelf.put(Frontier(0, shelf.read).extend(sample(5)))

    def short(level: int, index: int, width: int) -> bytes:
        return shelf.read(level, index, width if level >= 0 else width - 1)

    with pytest.raises(MalformedLog):
        list(Frontier(5, short).extend([b"x"]))

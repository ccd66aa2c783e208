"""Go's own note and tlog packages verify a log written by hashshare, and refuse it once a single byte differs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.log import (
    ENTRIES,
    Checkpoint,
    Cosigner,
    Frontier,
    Receipt,
    Tree,
    cosign,
    publication_entry,
    sign_checkpoint,
    tile_path,
    verifier_key,
)
from tests.system.go import GoVerifier
from tests.wire.log.naive import Shelf

ORIGIN = "hub.example/log/publication"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
VKEY = verifier_key(ORIGIN, keys.public_bytes(KEY))


class ServedLog:
    """A log as static files: address below the log's own -> body."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.shelf = Shelf()
        self.size = 0
        self.url = ""

    def grow(self, count: int, *, word: str = "metadata") -> str:
        """The checkpoint after `count` more entries."""
        frontier = Frontier(self.size, self.shelf.read)
        entries = [publication_entry(f"{word} {number}".encode()) for number in range(self.size, self.size + count)]
        for tile in self.shelf.put(frontier.extend(entries)):
            self.files[tile_path(tile.level, tile.index, tile.width)] = tile.body
        self.size = frontier.size
        note = sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root()), key=KEY)
        self.files["checkpoint"] = note.encode()
        return note

    def hurt(self, name: str, at: int) -> None:
        body = bytearray(self.files[name])
        body[at] ^= 1
        self.files[name] = bytes(body)

    def proved(self) -> tuple[str, ...]:
        return ("-key", VKEY, self.url)


@pytest.fixture
def log() -> Iterator[ServedLog]:
    """Served on a port of its own."""
    served = ServedLog()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.files.get(self.path.removeprefix("/log/publication/"))
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/log/publication"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 65_536, 70_000])
def test_it_verifies_logs_of_all_shapes(go: GoVerifier, log: ServedLog, size: int) -> None:
    log.grow(size)
    told = go.accepts(*log.proved())
    assert f"{ORIGIN} size {size}, " in told
    assert f"{size} entries" in told


def test_it_verifies_that_a_log_grew(go: GoVerifier, log: ServedLog, tmp_path: Path) -> None:
    """From each size to each later one, as whoever kept a checkpoint would."""
    notes = [log.grow(count) for count in (0, 1, 2, 253, 1, 43, 300)]
    for number, note in enumerate(notes):
        (tmp_path / f"{number}").write_text(note)
        told = go.accepts("-old", str(tmp_path / f"{number}"), *log.proved())
        assert "extends size" in told


def test_it_refuses_a_flipped_byte_in_any_tile_entry_or_checkpoint(go: GoVerifier, log: ServedLog) -> None:
    """70,000 leaves have tiles at three levels, full and partial, and a bundle beside each of the lowest.

    tile/0/000 and tile/1/000 are among those that tlog before 0.40, such as Debian's, reads without checking
    (CVE-2026-56865): a verifier that trusts its tile reader alone accepts them.
    """
    log.grow(70_000)
    whole = dict(log.files)
    for name, at in {
        "tile/0/000": 0,
        "tile/0/272": 8_191,
        "tile/0/273.p/112": 31,
        "tile/1/000": 4_000,
        "tile/1/001.p/17": 32 * 16,
        "tile/2/000.p/1": 5,
        "tile/entries/000": 2,
        "tile/entries/100": 57,
        "tile/entries/273.p/112": 112 * 58 - 1,
        "checkpoint": 3,
    }.items():
        log.hurt(name, at)
        go.refuses(*log.proved())
        log.files = dict(whole)
    go.accepts(*log.proved())


def test_it_refuses_every_changed_character_of_a_checkpoint(go: GoVerifier, log: ServedLog) -> None:
    """Of origin, size, root, name, key hash and signature: one of each line and more."""
    note = log.grow(5)
    for at in [0, len(ORIGIN) - 1, len(ORIGIN) + 1, len(ORIGIN) + 10, note.index("\u2014") + 5, -70, -8]:
        log.files["checkpoint"] = (note[:at] + chr(ord(note[at]) ^ 1) + note[at:][1:]).encode()
        go.refuses(*log.proved())


def test_it_refuses_missing_and_cut_files(go: GoVerifier, log: ServedLog) -> None:
    log.grow(300)
    whole = dict(log.files)
    for name, cut in (("tile/0/000", 32), ("tile/entries/001.p/44", 58), ("tile/entries/001.p/44", 1)):
        log.files[name] = log.files[name][:-cut]
        go.refuses(*log.proved())
        log.files = dict(whole)
    for name in whole:
        del log.files[name]
        assert name in go.refuses(*log.proved())
        log.files = dict(whole)
    log.files["tile/entries/001.p/44"] += b"\0\0"
    go.refuses(*log.proved())


def test_it_refuses_a_log_that_shrank_or_forked(go: GoVerifier, log: ServedLog, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(log.grow(300))
    log.shelf, log.size = Shelf(), 0
    log.grow(299)
    assert "shrank" in go.refuses("-old", str(kept), *log.proved())
    log.shelf, log.size = Shelf(), 0
    log.grow(1, word="rewritten")
    log.grow(400)
    go.accepts(*log.proved())
    assert "does not extend" in go.refuses("-old", str(kept), *log.proved())


def test_it_reads_a_checkpoint_below_which_witnesses_have_signed(go: GoVerifier, log: ServedLog) -> None:
    """The note package passes over kinds of signatures that it does not know; told of a witness, it verifies it."""
    note = log.grow(300)
    text = note.rpartition("\n\n")[0] + "\n"
    south, east = witnesses = [keys.generate() for _ in range(2)]
    names = ["s.example/witness", "e.example/witness"]
    lines = [
        cosign(text, name=name, key=key, at=1_700_000_000).line for name, key in zip(names, witnesses, strict=True)
    ]
    log.files["checkpoint"] = (note + "".join(lines)).encode()
    vkeys = [Cosigner(name, keys.public_bytes(key)).to_text() for name, key in zip(names, witnesses, strict=True)]
    go.accepts(*log.proved())
    for vkey in vkeys:
        assert f"cosigned by {vkey.partition('+')[0]} at 1700000000" in go.accepts("-witness", vkey, *log.proved())
    stranger = Cosigner("s.example/witness", keys.public_bytes(east)).to_text()
    assert "did not cosign" in go.refuses("-witness", stranger, *log.proved())
    log.files["checkpoint"] = (note + lines[0]).encode()
    assert "did not cosign" in go.refuses("-witness", vkeys[1], *log.proved())
    older = cosign(text.replace("\n300\n", "\n299\n"), name="s.example/witness", key=south, at=1_700_000_000).line
    log.files["checkpoint"] = (note + older).encode()
    go.accepts(*log.proved())
    go.refuses("-witness", vkeys[0], *log.proved())


def test_it_refuses_another_key(go: GoVerifier, log: ServedLog) -> None:
    log.grow(3)
    other = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32)
    go.refuses("-key", verifier_key(ORIGIN, keys.public_bytes(other)), log.url)
    go.refuses("-key", verifier_key("hub.example/log/other", keys.public_bytes(KEY)), log.url)


def test_it_verifies_receipts(go: GoVerifier, log: ServedLog, tmp_path: Path) -> None:
    note = log.grow(300)
    tree, file = Tree(300, log.shelf.read), tmp_path / "receipt"
    for index, extra in ((0, None), (255, b""), (299, b"extra")):
        made = Receipt(index, tuple(tree.inclusion_proof(index)), note, extra)
        entry = publication_entry(f"metadata {index}".encode()).hex()
        file.write_text(made.to_text())
        told = go.accepts("-key", VKEY, "-receipt", str(file), "-entry", entry)
        assert f"leaf {index} of 300" in told
        go.refuses("-key", VKEY, "-receipt", str(file), "-entry", entry[:-1] + ("0" if entry[-1] != "0" else "1"))
        file.write_text(made.to_text().replace(f"index {index}", f"index {index + 1}"))
        go.refuses("-key", VKEY, "-receipt", str(file), "-entry", entry)


def test_the_log_has_no_other_files(log: ServedLog) -> None:
    """What was overwritten by a wider tile aside, each address is one that the specification names."""
    log.grow(300)
    assert sorted(log.files) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]
    assert ENTRIES == -1

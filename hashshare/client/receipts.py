"""A member's receipts: what the hub has logged of it, each proved under a checkpoint that the hub signed.

They are kept in HOME/receipts/<list id>.ndjson, one a line in the order of the log, so that each can be shown to others
and checked again without the hub. Nothing that does not verify is kept.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hashshare.client.home import Home, make_private_folder
from hashshare.client.logs import DeliveryLog
from hashshare.client.store import known_name, stores
from hashshare.wire.errors import (
    HashshareError,
    LogForked,
    MalformedLog,
    UsageError,
    VerificationFailed,
    WrongOpening,
    WrongProof,
)
from hashshare.wire.log import (
    AcknowledgementRow,
    Checkpoint,
    DeliveryRow,
    Opening,
    Receipt,
    Verifier,
    entry_of,
    read_row,
)
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.log.successions import number_of

OwnRow = DeliveryRow | AcknowledgementRow


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt: `index` in the log, the opening (`row`, `nonce`), and `receipt`, a C2SP tlog-proof."""

    index: int
    row: str
    nonce: bytes
    receipt: str

    @property
    def checkpoint(self) -> str:
        """The signed note that it is proved under."""
        return self.receipt.partition("\n\n")[2]

    @property
    def origin(self) -> str:
        """The name of its log."""
        return self.checkpoint.partition("\n")[0]

    def to_line(self) -> bytes:
        nonce = base64.b64encode(self.nonce).decode()
        document = {"index": self.index, "row": self.row, "nonce": nonce, "receipt": self.receipt}
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def read(cls, document: object) -> Kept:
        """From the hub's answer or a line of the file. Raises MalformedLog."""
        if not isinstance(document, Mapping):
            raise MalformedLog("A receipt is an object.")
        index, row, receipt = (document.get(name) for name in ("index", "row", "receipt"))
        if type(index) is not int or not isinstance(row, str) or not isinstance(receipt, str):
            raise MalformedLog("A receipt lacks its index, its row or its proof.")
        return cls(index, row, decode_base64(str(document.get("nonce")), what="nonce"), receipt)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose receipts, about which list: what every row must speak of."""

    organisation: str
    list_name: str
    list_id: str


@dataclass(slots=True)
class Tally:
    """What was found of one list.

    `waiting`: logged, not sealed yet. `applied`: the last version acknowledged. `newest`: the largest checkpoint that a
    receipt is under. `seen`: SHA-256 of the statements that are logged; `missing`: of those that the hub took and has
    not logged. `delivered` and `stated`: (version, manifest's SHA-256) of deliveries and acknowledgements.
    """

    deliveries: int = 0
    acknowledgements: int = 0
    waiting: int = 0
    applied: int = 0
    newest: Checkpoint | None = None
    roots: dict[tuple[str, int], bytes] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    missing: tuple[str, ...] = ()
    delivered: set[tuple[int, str]] = field(default_factory=set)
    stated: set[tuple[int, str]] = field(default_factory=set)

    @property
    def undelivered(self) -> list[int]:
        """Versions that were acknowledged, of which the log has no delivery: it went on before the acknowledgement."""
        return sorted(version for version, _ in self.stated - self.delivered)

    @property
    def receipts(self) -> int:
        return self.deliveries + self.acknowledgements

    def add(self, row: OwnRow, checkpoint: Checkpoint) -> None:
        """Raises LogForked when another receipt is under another log of that size."""
        root = self.roots.setdefault((checkpoint.origin, checkpoint.size), checkpoint.root)
        if root != checkpoint.root:
            raise LogForked(f"The hub signed two logs of {checkpoint.size} leaves.")
        if isinstance(row, DeliveryRow):
            self.deliveries += 1
            self.delivered.add((row.version, row.manifest_sha256))
        else:
            self.acknowledgements += 1
            self.stated.add((row.version, row.manifest_sha256))
            self.applied = max(self.applied, row.version)
            self.seen.add(row.statement_sha256)
        if self.newest is None or checkpoint.origin != self.newest.origin or checkpoint.size > self.newest.size:
            self.newest = checkpoint


def receipts_path(home: Home, list_id: str) -> Path:
    return home.account / "receipts" / f"{list_id}.ndjson"


# --- checking one ------------------------------------------------------------------------------------------------


def check_receipt(kept: Kept, subject: Subject, verifier: Verifier) -> tuple[OwnRow, Checkpoint]:
    """What it says and the checkpoint that it is proved under.

    Raises WrongOpening for what is somebody else's, WrongProof, BadSignature, MalformedLog.
    """
    row = check_row(kept.row, subject)
    proof = Receipt.parse(kept.receipt)
    if proof.index != kept.index:
        raise WrongProof(f"The proof is of leaf {proof.index}, not of leaf {kept.index}.")
    return row, proof.verify(entry_of(Opening(kept.nonce, kept.row)), verifier, origin=verifier.name)


def check_row(text: str, subject: Subject) -> OwnRow:
    """Raises WrongOpening when it is not about this organisation and list, MalformedLog."""
    row = read_row(text)
    if not isinstance(row, OwnRow):
        raise WrongOpening(f"The row is one of {row.kind}, which is nobody's.")
    if row.organisation != subject.organisation:
        raise WrongOpening(f"The row is about {row.organisation}, not about {subject.organisation}.")
    if (row.list_name, row.list_id) != (subject.list_name, subject.list_id):
        raise WrongOpening(f"The row is about {row.list_name} ({row.list_id}), not about {subject.list_name}.")
    return row


@contextlib.contextmanager
def named(list_name: str, index: int | None) -> Iterator[None]:
    """Errors say which receipt they are about."""
    try:
        yield
    except HashshareError as error:
        which = "a receipt" if index is None else f"the receipt of leaf {index}"
        error.args = (f"{list_name}, {which}: {error.message}", *error.args[1:])
        error.facts.update(list=list_name, index=index)
        raise


MAX_FILE = 16 << 20
"""Bytes of a file of receipts: some 10,000 of them."""


def check_file(home: Home, path: Path) -> Iterator[tuple[OwnRow, Checkpoint]]:
    """Every receipt in a file that was handed over (one a line, as the hub's pages give them), without the network.

    Raises UsageError for a file that cannot be read or is empty, MalformedLog naming the line, WrongOpening for what is
    somebody else's, WrongProof, BadSignature, NotFound where nothing is known of the log.
    """
    lines, organisation = _lines(path), str(home.config().organisation.get("slug"))
    for number, line in enumerate(lines, 1):
        with _line_named(path, number):
            kept = Kept.read(json.loads(line))
            row = read_row(kept.row)
            if not isinstance(row, OwnRow):
                raise WrongOpening(f"The row is one of {row.kind}, which is nobody's.")
            subject = Subject(organisation, row.list_name, row.list_id)
            log = DeliveryLog(home, row.list_name.partition("/")[0])
            yield check_receipt(kept, subject, log.verifier(kept.checkpoint))


def _lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(body) > MAX_FILE:
        raise UsageError(f"{path} has more than {MAX_FILE >> 20} MiB.", next_step="Give it in parts.")
    lines = [line for line in body.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"{path} is empty.")
    return lines


@contextlib.contextmanager
def _line_named(path: Path, number: int) -> Iterator[None]:
    """Errors say where."""
    try:
        yield
    except ValueError as error:
        raise MalformedLog(f"{path} line {number} is no receipt.") from error
    except HashshareError as error:
        error.args = (f"{path} line {number}: {error.message}", *error.args[1:])
        raise


# --- the kept ones -----------------------------------------------------------------------------------------------


def kept_receipts(home: Home, list_id: str) -> Iterator[Kept]:
    """In the order of the log. Raises MalformedLog naming the line."""
    path = receipts_path(home, list_id)
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return  # A command was killed while it wrote this; the next one fetches it again.
            try:
                kept = Kept.read(json.loads(line))
            except (ValueError, MalformedLog) as error:
                raise MalformedLog(f"{path} line {number} is damaged.", next_step=_mend(path)) from error
            yield kept


def _mend(path: Path) -> str:
    anew = "`hashshare receipts` fetches anew what the hub has not erased yet"
    return f"Restore {path} from a backup, or move it away: {anew}."


def check_kept(home: Home, subject: Subject, log: DeliveryLog) -> Tally:
    """Every receipt kept of a list, without the network. Raises the VerificationFailed tree."""
    tally, verifiers = Tally(), dict[str, Verifier]()
    seen = log.seen
    if seen is not None:
        tally.roots[seen.origin, seen.size] = seen.root
    for kept in kept_receipts(home, subject.list_id):
        with named(subject.list_name, kept.index):
            verifier = verifier_for(kept, log, verifiers)
            tally.add(*_check_again(kept, subject, verifier, receipts_path(home, subject.list_id)))
    return tally


def verifier_for(kept: Kept, log: DeliveryLog, verifiers: dict[str, Verifier]) -> Verifier:
    """Of the log that the receipt is from, which may have been superseded since; `verifiers` are those met before."""
    if kept.origin not in verifiers:
        verifiers[kept.origin] = log.verifier(kept.checkpoint)
    return verifiers[kept.origin]


def _check_again(kept: Kept, subject: Subject, verifier: Verifier, path: Path) -> tuple[OwnRow, Checkpoint]:
    """It was proved before it was kept: what does not hold now was changed on this disk."""
    try:
        return check_receipt(kept, subject, verifier)
    except VerificationFailed as error:
        error.next_step = f"It was changed on this disk since it was kept. {_mend(path)}"
        raise


def subjects(home: Home) -> list[Subject]:
    """Every list that is held or has receipts here, by name; one whose files are damaged too, which its check says."""
    organisation = str(home.config().organisation.get("slug"))
    found = {store.list_id: known_name(store) for store in stores(home)}
    for path in (home.account / "receipts").glob("*.ndjson"):
        if path.stem not in found:
            found[path.stem] = _name_in(home, path.stem)
    return sorted(
        (Subject(organisation, name, list_id) for list_id, name in found.items()), key=lambda it: it.list_name
    )


def check_named(home: Home, subject: Subject) -> None:
    """Raises MalformedLog when no file here says what the list is called."""
    if "/" not in subject.list_name:
        path = receipts_path(home, subject.list_id)
        raise MalformedLog(f"{path} is damaged, and nothing else tells which list it is of.", next_step=_mend(path))


def _name_in(home: Home, list_id: str) -> str:
    """The list's name as the first kept receipt has it; the id where that cannot be read."""
    with contextlib.suppress(VerificationFailed):
        for kept in kept_receipts(home, list_id):
            row = read_row(kept.row)
            return row.list_name if isinstance(row, OwnRow) else list_id
    return list_id


def export_receipts(home: Home, subject: Subject, log: DeliveryLog, folder: Path) -> int:
    """Write each kept receipt of a list for programs of others, how many: `<index>.tlog-proof`, `.row` and `.nonce`
    (base64), byte for byte what was verified, and `log.vkey`, the log's key as these programs take it. Those of a log
    that superseded another are `<number>-<index>.*`, its key `log-<number>.vkey`.
    """
    make_private_folder(folder)
    verifiers, number = dict[str, Verifier](), 0
    for kept in kept_receipts(home, subject.list_id):
        with named(subject.list_name, kept.index):
            check_receipt(kept, subject, verifier_for(kept, log, verifiers))
        parts = {"tlog-proof": kept.receipt, "row": kept.row, "nonce": base64.b64encode(kept.nonce).decode()}
        nth = number_of(kept.origin)
        for ending, text in parts.items():
            (folder / f"{'' if nth == 1 else f'{nth}-'}{kept.index}.{ending}").write_bytes(text.encode())
        number += 1
    for origin, verifier in verifiers.items():
        nth = number_of(origin)
        (folder / ("log.vkey" if nth == 1 else f"log-{nth}.vkey")).write_text(verifier.to_text())
    return number
